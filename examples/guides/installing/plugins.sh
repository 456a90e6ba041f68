for registry in registry.terraform.io registry.opentofu.org; do
  folder=$HOME/.terraform.d/plugins/$registry/fusebill/fusebill
  mkdir -p "$folder"
  cp terraform-provider-fusebill_*.zip "$folder/"
done
