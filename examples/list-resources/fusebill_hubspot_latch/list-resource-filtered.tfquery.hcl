# The latches of active customers that were changed this year, with their HubSpot IDs (shown by -json).
list "fusebill_hubspot_latch" "active" {
  provider         = fusebill
  include_resource = true

  config {
    statuses       = ["Active"]
    modified_since = "2026-01-01"
  }
}
