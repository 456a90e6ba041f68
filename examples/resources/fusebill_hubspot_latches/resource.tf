locals {
  rows = csvdecode(<<-EOT
    fusebill_id,contact_id,company_id
    2554529,101,202
    2554530,,203
    2554531,303,
  EOT
  )
}

resource "fusebill_hubspot_latches" "crm" {
  hubspot_ids         = { for row in local.rows : row.fusebill_id => row.contact_id if row.contact_id != "" }
  hubspot_company_ids = { for row in local.rows : row.fusebill_id => row.company_id if row.company_id != "" }
}
