# A customer with a contact and a company in HubSpot.
resource "fusebill_hubspot_latch" "stolen_bikes" {
  fusebill_id        = 2554529
  hubspot_id         = 101
  hubspot_company_id = 202
}

# A customer with a company alone.
resource "fusebill_hubspot_latch" "brown_coffee" {
  fusebill_id        = 2554530
  hubspot_company_id = 203
}
