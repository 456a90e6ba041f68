terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

# The latches of all active customers, taken into the state as they are (Terraform 1.7 or later).
data "fusebill_hubspot_latches" "active" {
  statuses = ["Active"]
}

import {
  for_each = data.fusebill_hubspot_latches.active.latches
  to       = fusebill_hubspot_latch.each[each.key]
  id       = each.key
}

# Once they are imported, let a file say what they are to be: for_each would follow the account.
resource "fusebill_hubspot_latch" "each" {
  for_each = data.fusebill_hubspot_latches.active.latches

  fusebill_id        = each.key
  hubspot_id         = each.value.hubspot_id
  hubspot_company_id = each.value.hubspot_company_id
}
