locals {
  parts = toset(["amer", "emea"]) # A part keeps its set if the file has no line of it.
  rows  = csvdecode(file("${path.module}/latches.csv"))
}

resource "fusebill_hubspot_latches" "part" {
  for_each = local.parts

  hubspot_ids = {
    for row in local.rows : row.fusebill_id => row.hubspot_id if row.part == each.key && row.hubspot_id != ""
  }
  hubspot_company_ids = {
    for row in local.rows : row.fusebill_id => row.hubspot_company_id if row.part == each.key && row.hubspot_company_id != ""
  }
  max_removals = 25

  lifecycle {
    prevent_destroy = true

    precondition {
      condition     = alltrue([for row in local.rows : contains(local.parts, row.part)])
      error_message = "A line of latches.csv belongs to no part."
    }
  }
}
