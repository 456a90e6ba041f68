terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

# All latches of the account, including those that Terraform does not manage.
data "fusebill_hubspot_latches" "all" {}

# Write the latches to a file: terraform output -raw csv > latches.csv
output "csv" {
  value = join("\n", concat(["fusebill_id,hubspot_id,hubspot_company_id,customer"], [
    for id, latch in data.fusebill_hubspot_latches.all.latches : format("%s,%s,%s,\"%s\"", id,
      latch.hubspot_id == null ? "" : latch.hubspot_id,
      latch.hubspot_company_id == null ? "" : latch.hubspot_company_id,
      latch.name == null ? "" : replace(latch.name, "\"", "\"\""),
    )
  ], [""]))
}
