#!/bin/sh
# Refuses the plan in tfplan if it unlatches more customers than MAX_UNLATCHED, in all resources together.
set -eu

terraform show -json tfplan | jq -r -f policy.jq >unlatched.txt
count=$(wc -l <unlatched.txt | tr -d ' ')
echo "Customers that the plan unlatches: $count. The policy allows ${MAX_UNLATCHED:=25}."
[ "$count" -le "$MAX_UNLATCHED" ] || {
  echo "The plan is refused. The first customers are $(head -n 5 unlatched.txt | paste -sd ' ' -)."
  exit 1
}
