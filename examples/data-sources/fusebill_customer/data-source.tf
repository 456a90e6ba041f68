terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

# Find a customer by its reference, which is your own ID for it, and latch the customer.
data "fusebill_customer" "stolen_bikes" {
  reference = "C-000123"
}

resource "fusebill_hubspot_latch" "stolen_bikes" {
  fusebill_id = data.fusebill_customer.stolen_bikes.id
  hubspot_id  = 101
}

# Find the customer that is latched to a company.
data "fusebill_customer" "holder" {
  hubspot_company_id = 203
}

output "holder" {
  value = data.fusebill_customer.holder.company_name
}
