import {
  for_each = local.latches
  to       = fusebill_hubspot_latch.customer[each.key]
  id       = each.key
}

removed {
  from = fusebill_hubspot_latches.crm

  lifecycle {
    destroy = false
  }
}
