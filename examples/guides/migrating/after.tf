terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

# The API key comes from the environment variable FUSEBILL_API_KEY.
provider "fusebill" {}

locals {
  latches = {
    stolen_bikes = { fusebillId = 2554529, hubSpotId = 101, hubSpotCompanyId = 202 }
    brown_coffee = { fusebillId = 2554530, hubSpotId = null, hubSpotCompanyId = 203 }
  }
}

resource "fusebill_hubspot_latch" "latch" {
  for_each = local.latches

  fusebill_id        = each.value.fusebillId
  hubspot_id         = each.value.hubSpotId
  hubspot_company_id = each.value.hubSpotCompanyId
}
