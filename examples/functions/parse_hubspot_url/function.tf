terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

# The URL of the contact's page, as a browser shows it.
locals {
  contact = provider::fusebill::parse_hubspot_url("https://app.hubspot.com/contacts/6246015/record/0-1/101/view/1")
}

resource "fusebill_hubspot_latch" "stolen_bikes" {
  fusebill_id = 2554529
  hubspot_id  = local.contact.id

  lifecycle {
    precondition {
      condition     = local.contact.object_type == "contact" && local.contact.portal_id == "6246015"
      error_message = "The URL is not that of a contact in our HubSpot account."
    }
  }
}
