# This block has no keys, so it moves all instances. Each instance keeps its key.
moved {
  from = terraform_data.latch
  to   = fusebill_hubspot_latch.latch
}
