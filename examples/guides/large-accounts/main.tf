terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

# A hundred sets, by the last two digits of the customers' IDs.
locals {
  parts = {
    for row in csvdecode(file("${path.module}/latches.csv")) : substr(row.fusebill_id, -2, 2) => row...
  }
}

resource "fusebill_hubspot_latches" "part" {
  for_each = local.parts

  latches = {
    for row in each.value : row.fusebill_id => {
      hubspot_id         = row.hubspot_id
      hubspot_company_id = row.hubspot_company_id
    }
  }
}
