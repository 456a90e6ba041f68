# The import ID is the word account, for all latches of the account, or the IDs
# of customers with commas between them.
terraform import fusebill_hubspot_latches.crm 2554529,2554530,2554531
