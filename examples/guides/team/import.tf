# Remove this file after the first apply.
import {
  to = fusebill_hubspot_latches.crm
  id = "account"
}
