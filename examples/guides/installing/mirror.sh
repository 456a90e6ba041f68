mirror=$HOME/terraform-mirror
for registry in registry.terraform.io registry.opentofu.org; do
  mkdir -p "$mirror/$registry/fusebill/fusebill"
  cp terraform-provider-fusebill_*.zip "$mirror/$registry/fusebill/fusebill/"
done
