terraform state rm fusebill_hubspot_latches.crm
terraform import 'fusebill_hubspot_latch.customer["2554529"]' 2554529
terraform import 'fusebill_hubspot_latch.customer["2554530"]' 2554530
terraform import 'fusebill_hubspot_latch.customer["2554531"]' 2554531
