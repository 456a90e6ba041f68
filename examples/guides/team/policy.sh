#!/bin/sh
# Refuses the plan in tfplan if it unlatches more customers than MAX_UNLATCHED, in all resources together.
set -eu

terraform show -json tfplan >tfplan.json
jq -r -f policy.jq tfplan.json >unlatched.txt
count=$(grep -c . unlatched.txt || true)
echo "Customers that the plan unlatches: $count. The policy allows ${MAX_UNLATCHED:=25}."
if [ "$count" -gt "$MAX_UNLATCHED" ]; then
  echo "The plan is refused. The first customers are $(head -n 5 unlatched.txt | paste -sd ' ' -)."
  exit 1
fi
