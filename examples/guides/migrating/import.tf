import {
  for_each = local.latches
  to       = fusebill_hubspot_latch.latch[each.key]
  id       = each.value.fusebillId
}

# Terraform forgets the former resource and runs none of its destroy provisioners.
removed {
  from = terraform_data.latch

  lifecycle {
    destroy = false
  }
}
