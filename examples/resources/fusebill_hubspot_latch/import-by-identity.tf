import {
  to = fusebill_hubspot_latch.stolen_bikes
  identity = {
    fusebill_id = "2554529"
  }
}

# The current latch of the customer.
resource "fusebill_hubspot_latch" "stolen_bikes" {
  fusebill_id        = 2554529
  hubspot_id         = 101
  hubspot_company_id = 202
}
