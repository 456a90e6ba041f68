terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

data "fusebill_hubspot_latches" "all" {}

locals {
  lines = [
    for customer, latch in data.fusebill_hubspot_latches.all.latches : join(",", [
      customer,
      latch.hubspot_id != null ? tostring(latch.hubspot_id) : "",
      latch.hubspot_company_id != null ? tostring(latch.hubspot_company_id) : "",
    ])
  ]
}

output "csv" {
  value = join("\n", concat(["fusebill_id,hubspot_id,hubspot_company_id"], local.lines, [""]))
}
