terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

# A map by customer: two entries for a customer are an error.
locals {
  latches = { for latch in yamldecode(file("${path.module}/latches.yaml")) : latch.fusebill_id => latch }
}

# An entry without any ID stays in the first map, so the provider refuses it.
resource "fusebill_hubspot_latches" "crm" {
  hubspot_ids = {
    for id, latch in local.latches : id => latch.hubspot_id if latch.hubspot_id != null || latch.hubspot_company_id == null
  }
  hubspot_company_ids = {
    for id, latch in local.latches : id => latch.hubspot_company_id if latch.hubspot_company_id != null
  }
}
