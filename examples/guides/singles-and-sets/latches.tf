terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

provider "fusebill" {}

locals {
  latches = {
    "2554529" = { hubspot_id = "101", hubspot_company_id = "202" }
    "2554530" = { hubspot_id = null, hubspot_company_id = "203" }
    "2554531" = { hubspot_id = "303", hubspot_company_id = null }
  }
}
