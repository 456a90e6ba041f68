#!/bin/sh
# Applies the plan that plan.sh has saved, and nothing else. Fails if the state has changed since then.
set -eu

terraform init
terraform apply -lock-timeout=30m tfplan
