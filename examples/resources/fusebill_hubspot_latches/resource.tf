# The empty text counts as no ID, so the cells of a CSV file may be used as they are.
locals {
  latches = csvdecode(<<-EOT
    fusebill_id,contact_id,company_id
    2554529,101,202
    2554530,,203
    2554531,303,
  EOT
  )
}

resource "fusebill_hubspot_latches" "crm" {
  latches = {
    for row in local.latches : row.fusebill_id => {
      hubspot_id         = row.contact_id
      hubspot_company_id = row.company_id
    }
  }
}
