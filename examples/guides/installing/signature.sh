gpg --verify terraform-provider-fusebill_*_SHA256SUMS.sig terraform-provider-fusebill_*_SHA256SUMS
