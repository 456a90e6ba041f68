terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }

  # Add the backend that keeps your state here. It has to lock, so that no two runs change it at once.
}

variable "requests_per_minute" {
  description = "Calls a minute that a run allows itself. Null: as many as the account has."
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
