terraform init
terraform state rm terraform_data.latch
terraform import 'fusebill_hubspot_latch.latch["stolen_bikes"]' 2554529
terraform import 'fusebill_hubspot_latch.latch["brown_coffee"]' 2554530
