# In the folder with the packages of a release:
repository=/path/to/repository
folder=$repository/providers/registry.terraform.io/fusebill/fusebill
mkdir -p "$folder"
cp terraform-provider-fusebill_*.zip "$folder/"
