platform=$(go env GOOS)_$(go env GOARCH)
for registry in registry.terraform.io registry.opentofu.org; do
  folder=$HOME/.terraform.d/plugins/$registry/fusebill/fusebill/0.1.0/$platform
  mkdir -p "$folder"
  go build -o "$folder/terraform-provider-fusebill_v0.1.0" .
done
