# All latches of the account. Without a limit, Terraform lists only 100.
list "fusebill_hubspot_latch" "all" {
  provider = fusebill
  limit    = 10000
}
