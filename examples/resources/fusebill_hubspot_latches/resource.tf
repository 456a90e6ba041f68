locals {
  rows = csvdecode(<<-EOT
    fusebill_id,hubspot_id,hubspot_company_id
    2554529,101,202
    2554530,,203
    2554531,303,
  EOT
  )
}

resource "fusebill_hubspot_latches" "crm" {
  hubspot_ids = {
    for row in local.rows : row.fusebill_id => row.hubspot_id
    if row.hubspot_id != ""
  }
  hubspot_company_ids = {
    for row in local.rows : row.fusebill_id => row.hubspot_company_id
    if row.hubspot_company_id != ""
  }
}
