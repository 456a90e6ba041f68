terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

# It stands outside the check: inside, every plan would read it again at apply, and count as one with changes.
data "fusebill_customers" "unlatched" {
  statuses = ["Active"]
  latched  = false
}

check "active_customers_are_latched" {
  assert {
    condition = length(data.fusebill_customers.unlatched.customers) == 0
    error_message = join("\n", concat(["Active customers without a HubSpot latch:"], [
      for customer in data.fusebill_customers.unlatched.customers : "${customer.id} ${coalesce(customer.company_name, customer.last_name, "-")}"
    ]))
  }
}
