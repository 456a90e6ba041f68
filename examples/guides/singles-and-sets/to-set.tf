import {
  to = fusebill_hubspot_latches.crm
  id = join(",", keys(local.latches))
}

removed {
  from = fusebill_hubspot_latch.customer

  lifecycle {
    destroy = false
  }
}
