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

# The key of each latch is the customer's ID: entries may change their order, and no latch is touched.
resource "fusebill_hubspot_latch" "customer" {
  for_each = { for latch in local.latches : latch.fusebill_id => latch }

  fusebill_id        = each.value.fusebill_id
  hubspot_id         = each.value.hubspot_id
  hubspot_company_id = each.value.hubspot_company_id
}
