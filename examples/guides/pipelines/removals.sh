#!/bin/sh
# Fails if the saved plan destroys a latch set, or destroys more single latches than $1 allows.
set -eu

terraform show -json tfplan | jq -e --argjson most "${1:-10}" '
  [.resource_changes[]? | select(.change.actions | index("delete"))]
  | (map(select(.type == "fusebill_hubspot_latches")) | length == 0)
    and (map(select(.type == "fusebill_hubspot_latch")) | length <= $most)' >/dev/null || {
  echo "The plan destroys a latch set, or too many latches. Look for a part of the data that is missing."
  exit 1
}
