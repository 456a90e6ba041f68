# What each version is recorded with, by make test with RELEASED=VERSION: all that its provider keeps in state. What a version adds
# to that is added here before. The account has the customers 1 to 20 and 9007199254740993, none of them latched.

terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

provider "fusebill" {}

resource "fusebill_hubspot_latch" "both" {
  fusebill_id        = 1
  hubspot_id         = 101
  hubspot_company_id = 201
}

resource "fusebill_hubspot_latch" "everything" {
  fusebill_id         = 9007199254740993
  hubspot_id          = 9007199254740995
  allow_reassociation = true

  timeouts {
    create = "5m"
    read   = "90s"
    update = "5m"
    delete = "10m"
  }
}

resource "fusebill_hubspot_latch" "each" {
  for_each           = toset(["2", "3"])
  fusebill_id        = each.key
  hubspot_company_id = 200 + each.key
}

# IDs as numbers, as strings, and as cells of a CSV file.
resource "fusebill_hubspot_latches" "set" {
  hubspot_ids         = { "4" = 104, "5" = "105", "6" = "" }
  hubspot_company_ids = { "4" = null, "5" = "", "6" = "9007199254740997" }
}

resource "fusebill_hubspot_latches" "everything" {
  hubspot_ids         = { for id in range(7, 10) : id => 100 + id }
  hubspot_company_ids = { for id in range(7, 10) : id => 200 + id }
  allow_reassociation = false
  exclusive           = false
  max_removals        = 3
  max_changes         = 5

  timeouts {
    create = "1h"
    read   = "10m"
    update = "1h"
    delete = "1h"
  }
}

data "fusebill_hubspot_latches" "all" {
  depends_on = [
    fusebill_hubspot_latch.both, fusebill_hubspot_latch.everything, fusebill_hubspot_latch.each,
    fusebill_hubspot_latches.set, fusebill_hubspot_latches.everything,
  ]
}

output "contacts" {
  value = { for id, latch in data.fusebill_hubspot_latches.all.latches : id => latch.hubspot_id }
}
