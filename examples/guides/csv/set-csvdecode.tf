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

# A row without any ID stays in the first map, so the provider refuses it.
resource "fusebill_hubspot_latches" "crm" {
  hubspot_ids = {
    for id, row in local.rows : id => row.hubspot_id if row.hubspot_id != "" || row.hubspot_company_id == ""
  }
  hubspot_company_ids = {
    for id, row in local.rows : id => row.hubspot_company_id if row.hubspot_company_id != ""
  }
}
