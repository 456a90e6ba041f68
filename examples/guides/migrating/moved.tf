# Without keys, this moves all instances, each to the same key.
moved {
  from = terraform_data.latch
  to   = fusebill_hubspot_latch.latch
}
