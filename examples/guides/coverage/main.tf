terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

# The data source is outside of the check. Inside it, Terraform would read the data source again in each apply, and
# every plan would count as one with changes.
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
