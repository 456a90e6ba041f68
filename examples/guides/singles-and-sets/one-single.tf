resource "fusebill_hubspot_latches" "crm" {
  latches = { for id, latch in local.latches : id => latch if id != "2554529" }
}

resource "fusebill_hubspot_latch" "stolen_bikes" {
  fusebill_id        = 2554529
  hubspot_id         = 101
  hubspot_company_id = 202
}
