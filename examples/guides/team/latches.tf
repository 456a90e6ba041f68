locals {
  rows = csvdecode(file("${path.module}/latches.csv"))

  # If a customer has one line for its contact and one for its company, neither map below has a duplicate key.
  customers = [for row in local.rows : row.fusebill_id]
}

resource "fusebill_hubspot_latches" "crm" {
  hubspot_ids         = { for row in local.rows : row.fusebill_id => row.hubspot_id if row.hubspot_id != "" }
  hubspot_company_ids = { for row in local.rows : row.fusebill_id => row.hubspot_company_id if row.hubspot_company_id != "" }

  max_removals = 25
  max_changes  = 50

  lifecycle {
    prevent_destroy = true

    precondition {
      condition     = length(local.customers) == length(toset(local.customers))
      error_message = "A customer is on two lines of latches.csv."
    }
    precondition {
      condition     = alltrue([for row in local.rows : row.hubspot_id != "" || row.hubspot_company_id != ""])
      error_message = "A line of latches.csv has neither a contact nor a company."
    }
  }
}
