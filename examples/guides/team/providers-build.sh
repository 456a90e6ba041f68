# In a clone of the provider:
repository=/path/to/repository
for platform in linux_amd64 darwin_arm64; do
  folder=$repository/providers/registry.terraform.io/fusebill/fusebill/0.1.0/$platform
  mkdir -p "$folder"
  CGO_ENABLED=0 GOOS=${platform%_*} GOARCH=${platform#*_} \
    go build -ldflags=-s -o "$folder/terraform-provider-fusebill_v0.1.0" .
done
