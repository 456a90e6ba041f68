terraform {
  required_version = ">= 1.5"

  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
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
