terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

data "fusebill_customers" "all" {}

locals {
  # In a configuration of your own: file("${path.module}/hubspot-contacts.csv")
  export = <<-EOT
    Record ID,First Name,Last Name,Email,Customer number
    101,Ann,Brown,Ann@brown-coffee.example,
    102,Bob,Castillo,bob@castillo.example,C-000123
    103,Bob,Castillo,bob@castillo.example,
  EOT

  contacts = provider::fusebill::match_hubspot_export(
    data.fusebill_customers.all.customers, local.export,
    "reference = Customer number",
    "primary_email = Email",
  )
}

resource "fusebill_hubspot_latches" "crm" {
  hubspot_ids = local.contacts.matches
}

output "without_contact" {
  value = local.contacts.unmatched
}
