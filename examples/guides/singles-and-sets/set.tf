resource "fusebill_hubspot_latches" "crm" {
  hubspot_ids = {
    for id, latch in local.latches : id => latch.hubspot_id
    if latch.hubspot_id != null
  }
  hubspot_company_ids = {
    for id, latch in local.latches : id => latch.hubspot_company_id
    if latch.hubspot_company_id != null
  }
}
