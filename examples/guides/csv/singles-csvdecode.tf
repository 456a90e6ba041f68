terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

locals {
  # Drops a byte order mark. Stops with one error at another header, another separator, or a file without a line of data.
  csv = regex("^\ufeff?(fusebill_id,hubspot_id,hubspot_company_id[,\r\n](?s:.*[0-9].*))", file("${path.module}/latches.csv"))[0]

  # A map by customer: a customer on two lines is an error. Blank lines are left out.
  rows = {
    for row in csvdecode(local.csv) : trimspace(row.fusebill_id) => {
      hubspot_id         = trimspace(row.hubspot_id)
      hubspot_company_id = trimspace(row.hubspot_company_id)
    } if trimspace(join("", values(row))) != ""
  }
}

# The key of each latch is the ID of the customer, so the order of the lines does not matter.
resource "fusebill_hubspot_latch" "customer" {
  for_each = local.rows

  fusebill_id        = each.key
  hubspot_id         = each.value.hubspot_id != "" ? each.value.hubspot_id : null
  hubspot_company_id = each.value.hubspot_company_id != "" ? each.value.hubspot_company_id : null
}
