# Lists the customers that a plan unlatches, one per line. The input is the plan as JSON.

# The customers of all latches in one half of the plan. A move between two resources is no removal.
def customers(half): [
  .resource_changes[]?
  | select(.type == "fusebill_hubspot_latch" or .type == "fusebill_hubspot_latches")
  | select(.change.actions != ["forget"])
  | .change[half] // empty
  | .fusebill_id // empty, (.hubspot_ids, .hubspot_company_ids, .unlisted // empty | keys[])
] | unique;

(customers("before") - customers("after"))[]
