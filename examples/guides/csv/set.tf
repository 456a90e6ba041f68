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

resource "fusebill_hubspot_latches" "crm" {
  hubspot_ids         = local.latches.hubspot_ids
  hubspot_company_ids = local.latches.hubspot_company_ids
}
