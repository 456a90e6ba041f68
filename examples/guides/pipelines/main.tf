terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }

  # Add your backend here. It must lock the state, so only one run at a time changes it.
}

variable "requests_per_minute" {
  description = "Calls that a run may make in a minute. The default is all calls of the account."
  type        = number
  default     = null
}

# The API key comes from the environment variable FUSEBILL_API_KEY.
provider "fusebill" {
  requests_per_minute = var.requests_per_minute
}

resource "fusebill_hubspot_latch" "stolen_bikes" {
  fusebill_id        = 2554529
  hubspot_id         = 101
  hubspot_company_id = 202
}
