terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

# Import the latches of all active customers (Terraform 1.7 or later).
data "fusebill_hubspot_latches" "active" {
  statuses = ["Active"]
}

import {
  for_each = data.fusebill_hubspot_latches.active.latches
  to       = fusebill_hubspot_latch.each[each.key]
  id       = each.key
}

# After the import, declare the latches in a file: this configuration would follow every change in the account.
resource "fusebill_hubspot_latch" "each" {
  for_each = data.fusebill_hubspot_latches.active.latches

  fusebill_id        = each.key
  hubspot_id         = each.value.hubspot_id
  hubspot_company_id = each.value.hubspot_company_id
}
