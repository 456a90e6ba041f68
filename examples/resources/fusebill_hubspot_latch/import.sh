# The ID is that of the Fusebill customer.
terraform import fusebill_hubspot_latch.stolen_bikes 2554529
