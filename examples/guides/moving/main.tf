terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

resource "fusebill_hubspot_latch" "stolen_bikes" {
  fusebill_id = 2554529
  hubspot_id  = 102 # before: 101
}

resource "fusebill_hubspot_latch" "brown_coffee" {
  fusebill_id = 2554530
  hubspot_id  = 101 # before: 102
}
