# In the folder with the packages of the release:
mkdir -p providers/registry.terraform.io/fusebill/fusebill
cp terraform-provider-fusebill_*.zip providers/registry.terraform.io/fusebill/fusebill/

terraform providers lock -fs-mirror=providers -platform=linux_amd64 -platform=darwin_arm64 -platform=windows_amd64
