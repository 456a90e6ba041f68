#!/bin/sh
# Compares the latches with what is declared, and changes nothing.
# Ends with 0 if all are as declared, with 2 if some differ, and with 1 if that can't be told.
set -eu

terraform init

code=0
terraform plan -detailed-exitcode -lock-timeout=30m || code=$?

# On GitHub, later steps see it as steps.ID.outputs.exitcode.
[ -z "${GITHUB_OUTPUT:-}" ] || echo "exitcode=$code" >>"$GITHUB_OUTPUT"

case $code in
  0) echo "All latches are as declared." ;;
  2) echo "Latches have drifted: the plan above shows which, and an apply puts them right." ;;
  *) echo "Whether latches have drifted couldn't be told: see the error above." ;;
esac
exit "$code"
