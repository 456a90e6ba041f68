terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

locals {
  latches = yamldecode(file("${path.module}/latches.yaml"))
}

# The key of each latch is the ID of the customer, so the order of the entries does not matter.
resource "fusebill_hubspot_latch" "customer" {
  for_each = { for latch in local.latches : latch.fusebill_id => latch }

  fusebill_id        = each.value.fusebill_id
  hubspot_id         = each.value.hubspot_id
  hubspot_company_id = each.value.hubspot_company_id
}
