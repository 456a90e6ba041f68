terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

variable "turn" {
  description = "How far the three contacts have gone round."
  type        = number
  default     = 0
}

resource "fusebill_hubspot_latch" "ring" {
  count = 3

  fusebill_id = 2500003 + count.index
  hubspot_id  = 201 + (count.index + var.turn) % 3
}
