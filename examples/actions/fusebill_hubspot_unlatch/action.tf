# Unlatches a customer, as long as it is latched to just these. Run it by hand with
#   terraform apply -invoke=action.fusebill_hubspot_unlatch.former
# or, as here, after something else was done.
action "fusebill_hubspot_unlatch" "former" {
  config {
    fusebill_id        = 2554529
    hubspot_id         = 101
    hubspot_company_id = 202
  }
}

resource "terraform_data" "offboarding" {
  input = "2026-01-31"

  lifecycle {
    action_trigger {
      events  = [after_create, after_update]
      actions = [action.fusebill_hubspot_unlatch.former]
    }
  }
}
