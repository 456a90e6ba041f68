locals {
  rows = { for id, latch in local.latches : id => latch if id != "2554529" }
}

resource "fusebill_hubspot_latches" "crm" {
  hubspot_ids = {
    for id, latch in local.rows : id => latch.hubspot_id
    if latch.hubspot_id != null
  }
  hubspot_company_ids = {
    for id, latch in local.rows : id => latch.hubspot_company_id
    if latch.hubspot_company_id != null
  }
}

resource "fusebill_hubspot_latch" "stolen_bikes" {
  fusebill_id        = 2554529
  hubspot_id         = 101
  hubspot_company_id = 202
}
