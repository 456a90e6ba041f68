sha256sum --check --ignore-missing terraform-provider-fusebill_*_SHA256SUMS
