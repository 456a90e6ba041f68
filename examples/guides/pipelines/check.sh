#!/bin/sh
# Plans a pull request. Fails if there is no plan, or if the plan has warnings.
set -eu

terraform init

code=0
terraform plan -json -lock-timeout=30m -out=tfplan >plan.json || code=$?
if [ "$code" -eq 0 ]; then
  terraform show tfplan
fi

if grep -E '"severity":"(error|warning)"' plan.json; then
  echo "The plan has errors or warnings. See the lines above."
  exit 1
fi
exit "$code"
