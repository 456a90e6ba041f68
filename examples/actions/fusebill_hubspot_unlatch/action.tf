# Unlatch a customer that has exactly this latch. Run the action by hand with
#   terraform apply -invoke=action.fusebill_hubspot_unlatch.former
# or after another change, as in this example.
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
