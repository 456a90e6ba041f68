resource "fusebill_hubspot_latch" "customer" {
  for_each = local.latches

  fusebill_id        = each.key
  hubspot_id         = each.value.hubspot_id
  hubspot_company_id = each.value.hubspot_company_id
}
