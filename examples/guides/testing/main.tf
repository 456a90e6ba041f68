terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

variable "csv" {
  description = "The latches, as CSV with the columns fusebill_id, hubspot_id and hubspot_company_id."
  type        = string

  validation {
    condition     = alltrue([for row in csvdecode(var.csv) : row.hubspot_id != "" || row.hubspot_company_id != ""])
    error_message = "Each line needs a hubspot_id, a hubspot_company_id, or both."
  }

  validation {
    condition     = length(distinct(csvdecode(var.csv)[*].fusebill_id)) == length(csvdecode(var.csv))
    error_message = "Each customer has one line."
  }
}

locals {
  latches = { for row in csvdecode(var.csv) : row.fusebill_id => row }
}

resource "fusebill_hubspot_latch" "customer" {
  for_each = local.latches

  fusebill_id        = each.value.fusebill_id
  hubspot_id         = each.value.hubspot_id != "" ? each.value.hubspot_id : null
  hubspot_company_id = each.value.hubspot_company_id != "" ? each.value.hubspot_company_id : null
}
