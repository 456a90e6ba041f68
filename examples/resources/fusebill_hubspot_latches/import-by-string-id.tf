import {
  to = fusebill_hubspot_latches.crm
  id = "account" # every latch of the account
}

resource "fusebill_hubspot_latches" "crm" {
  latches = {
    "2554529" = { hubspot_id = 101, hubspot_company_id = 202 }
    "2554530" = { hubspot_id = null, hubspot_company_id = 203 }
  }
}
