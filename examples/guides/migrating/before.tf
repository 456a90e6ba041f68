locals {
  latches = {
    stolen_bikes = { fusebillId = 2554529, hubSpotId = 101, hubSpotCompanyId = 202 }
    brown_coffee = { fusebillId = 2554530, hubSpotId = null, hubSpotCompanyId = 203 }
  }
}

resource "terraform_data" "latch" {
  for_each = local.latches
  input    = each.value

  provisioner "local-exec" {
    environment = { BODY = jsonencode(self.input) }
    command     = <<-EOT
      curl --fail --silent --show-error --output /dev/null "$FUSEBILL_BASE_URL/HubSpot/latchCustomer" \
        --header "Authorization: Basic $FUSEBILL_API_KEY" --header "Content-Type: application/json" --data "$BODY"
    EOT
  }

  provisioner "local-exec" {
    when        = destroy
    environment = { BODY = jsonencode(merge(self.input, { hubSpotId = null, hubSpotCompanyId = null })) }
    command     = <<-EOT
      curl --fail --silent --show-error --output /dev/null "$FUSEBILL_BASE_URL/HubSpot/latchCustomer" \
        --header "Authorization: Basic $FUSEBILL_API_KEY" --header "Content-Type: application/json" --data "$BODY"
    EOT
  }
}
