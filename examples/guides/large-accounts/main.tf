terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

locals {
  rows = csvdecode(file("${path.module}/latches.csv"))
}

resource "fusebill_hubspot_latches" "crm" {
  hubspot_ids = {
    for row in local.rows : row.fusebill_id => row.hubspot_id
    if row.hubspot_id != ""
  }
  hubspot_company_ids = {
    for row in local.rows : row.fusebill_id => row.hubspot_company_id
    if row.hubspot_company_id != ""
  }
}
