#!/bin/sh
# Compares the latches with the configuration, and changes nothing.
# Exit code 0: all latches are as declared. 2: latches differ. 1: the check could not be made.
set -eu

terraform init

code=0
terraform plan -detailed-exitcode -lock-timeout=30m || code=$?

# On GitHub, later steps read the code as steps.ID.outputs.exitcode.
if [ -n "${GITHUB_OUTPUT:-}" ]; then
  echo "exitcode=$code" >>"$GITHUB_OUTPUT"
fi

case $code in
  0) echo "All latches are as declared." ;;
  2) echo "Latches have drifted. The plan above shows them, and an apply restores them." ;;
  *) echo "The check could not be made. See the error above." ;;
esac
exit "$code"
