terraform {
  required_providers {
    fusebill = {
      source  = "fusebill/fusebill"
      version = "0.1.0"
    }
  }
}

resource "fusebill_hubspot_latch" "stolen_bikes" {
  fusebill_id = 2554529
  hubspot_id  = 101
}
