#!/bin/sh
# Plans a pull request. Fails if there is no plan, or if the plan has warnings.
set -eu

terraform init

code=0
terraform plan -json -lock-timeout=30m -out=tfplan >plan.json || code=$?
[ "$code" -ne 0 ] || terraform show tfplan

if grep -E '"severity":"(error|warning)"' plan.json; then
  echo "The plan has errors or warnings: see the lines above."
  exit 1
fi
exit "$code"
