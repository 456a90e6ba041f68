terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

locals {
  latches = csvdecode(file("${path.module}/latches.csv"))
}

# The key of each latch is the customer's ID: lines may change their order, and no latch is touched.
resource "fusebill_hubspot_latch" "customer" {
  for_each = { for latch in local.latches : latch.fusebill_id => latch }

  fusebill_id        = each.value.fusebill_id
  hubspot_id         = each.value.hubspot_id != "" ? each.value.hubspot_id : null
  hubspot_company_id = each.value.hubspot_company_id != "" ? each.value.hubspot_company_id : null
}
