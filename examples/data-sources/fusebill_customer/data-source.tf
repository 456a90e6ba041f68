terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

# The customer is known by our own ID for it, and is to be latched.
data "fusebill_customer" "stolen_bikes" {
  reference = "C-000123"
}

resource "fusebill_hubspot_latch" "stolen_bikes" {
  fusebill_id = data.fusebill_customer.stolen_bikes.id
  hubspot_id  = 101
}

# The customer that holds this company.
data "fusebill_customer" "holder" {
  hubspot_company_id = 203
}

output "holder" {
  value = data.fusebill_customer.holder.company_name
}
