resource "fusebill_hubspot_latches" "crm" {
  latches = local.latches
}
