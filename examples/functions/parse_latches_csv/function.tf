terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

locals {
  # In a configuration of your own: file("${path.module}/latches.csv")
  csv = <<-EOT
    fusebill_id;hubspot_id;hubspot_company_id;customer
    2554529;101;202;Stolen Bikes
    2554530;;https://app.hubspot.com/contacts/6246015/record/0-2/203;Brown Coffee
  EOT

  latches = provider::fusebill::parse_latches_csv(local.csv)
}

resource "fusebill_hubspot_latches" "crm" {
  hubspot_ids         = local.latches.hubspot_ids
  hubspot_company_ids = local.latches.hubspot_company_ids
}
