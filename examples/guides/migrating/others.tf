terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }

    # Keep these until the moves are applied, at the versions that you use now.
    restapi = {
      source = "Mastercard/restapi"
    }
    restful = {
      source = "magodo/restful"
    }
    null = {
      source = "hashicorp/null"
    }
  }
}

provider "fusebill" {}

resource "fusebill_hubspot_latch" "stolen_bikes" {
  fusebill_id        = 2554529
  hubspot_id         = 101
  hubspot_company_id = 202
}

moved {
  from = restapi_object.stolen_bikes
  to   = fusebill_hubspot_latch.stolen_bikes
}

resource "fusebill_hubspot_latch" "brown_coffee" {
  fusebill_id        = 2554530
  hubspot_company_id = 203
}

moved {
  from = restful_resource.brown_coffee
  to   = fusebill_hubspot_latch.brown_coffee
}

resource "fusebill_hubspot_latch" "castillo_dental" {
  fusebill_id = 2554531
  hubspot_id  = 303
}

moved {
  from = null_resource.castillo_dental
  to   = fusebill_hubspot_latch.castillo_dental
}
