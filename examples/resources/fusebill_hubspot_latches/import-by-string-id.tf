import {
  to = fusebill_hubspot_latches.crm
  id = "account" # every latch of the account
}

resource "fusebill_hubspot_latches" "crm" {
  hubspot_ids = {
    "2554529" = "101"
  }
  hubspot_company_ids = {
    "2554529" = "202"
    "2554530" = "203"
  }
}
