# The latches of active customers that were modified in 2026 or later. With -json, the output has the HubSpot IDs.
list "fusebill_hubspot_latch" "active" {
  provider         = fusebill
  limit            = 10000
  include_resource = true

  config {
    statuses       = ["Active"]
    modified_since = "2026-01-01"
  }
}
