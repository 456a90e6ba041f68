terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

locals {
  latches = provider::fusebill::parse_latches_csv(file("${path.module}/latches.csv"))
}

# The key of each latch is the ID of the customer, so the order of the lines does not matter.
resource "fusebill_hubspot_latch" "customer" {
  for_each = toset(concat(keys(local.latches.hubspot_ids), keys(local.latches.hubspot_company_ids)))

  fusebill_id        = each.key
  hubspot_id         = try(local.latches.hubspot_ids[each.key], null)
  hubspot_company_id = try(local.latches.hubspot_company_ids[each.key], null)
}
