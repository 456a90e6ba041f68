terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

# Active customers without a latch.
data "fusebill_customers" "unlatched" {
  statuses = ["Active"]
  latched  = false
}

output "unlatched" {
  value = { for customer in data.fusebill_customers.unlatched.customers : customer.id => customer.company_name }
}
