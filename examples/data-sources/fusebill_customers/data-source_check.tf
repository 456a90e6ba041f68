terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

data "fusebill_customers" "unlatched" {
  statuses = ["Active"]
  latched  = false
}

# Every plan and apply warns of these customers (Terraform 1.5 or later).
check "coverage" {
  assert {
    condition     = length(data.fusebill_customers.unlatched.customers) == 0
    error_message = "Not latched: ${join(", ", data.fusebill_customers.unlatched.customers[*].id)}"
  }
}
