#!/bin/sh
# Plans, and saves the plan as tfplan. Fails only if there is no plan.
set -eu

terraform init

code=0
terraform plan -detailed-exitcode -lock-timeout=30m -out=tfplan || code=$?

# On GitHub, the next job reads whether there is something to apply (2) or nothing (0).
if [ -n "${GITHUB_OUTPUT:-}" ]; then
  echo "exitcode=$code" >>"$GITHUB_OUTPUT"
fi

if [ "$code" -ne 2 ]; then
  exit "$code"
fi
