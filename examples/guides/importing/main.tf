terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

locals {
  latches = { for latch in csvdecode(file("${path.module}/latches.csv")) : latch.fusebill_id => latch }
}

resource "fusebill_hubspot_latch" "customer" {
  for_each = local.latches

  fusebill_id        = each.value.fusebill_id
  hubspot_id         = each.value.hubspot_id != "" ? each.value.hubspot_id : null
  hubspot_company_id = each.value.hubspot_company_id != "" ? each.value.hubspot_company_id : null
}

# Remove this block after the apply.
import {
  for_each = local.latches

  to = fusebill_hubspot_latch.customer[each.key]
  id = each.key
}
