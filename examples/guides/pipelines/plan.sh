#!/bin/sh
# Plans, and saves the plan as tfplan. Fails only if there is no plan.
set -eu

terraform init

code=0
terraform plan -detailed-exitcode -lock-timeout=30m -out=tfplan || code=$?

# On GitHub, the next job asks whether there is anything to apply (2) or nothing (0).
[ -z "${GITHUB_OUTPUT:-}" ] || echo "exitcode=$code" >>"$GITHUB_OUTPUT"

[ "$code" -eq 2 ] || exit "$code"
