#!/bin/sh
# Refuses the plan in tfplan if it destroys a latch set, or more than $1 single latches (10 by default).
set -eu

terraform show -json tfplan >tfplan.json
if ! jq -e --argjson most "${1:-10}" '
  [.resource_changes[]? | select(.change.actions | index("delete"))]
  | (map(select(.type == "fusebill_hubspot_latches")) | length == 0)
    and (map(select(.type == "fusebill_hubspot_latch")) | length <= $most)' tfplan.json >/dev/null; then
  echo "The plan is refused. It destroys a latch set, or too many latches. Check that no part of the data is missing."
  exit 1
fi
