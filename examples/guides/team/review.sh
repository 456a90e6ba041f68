#!/bin/sh
# Plans, checks the plan, and writes the result to comment.md, which becomes a comment on the pull request.
set -eu

terraform init -no-color

rm -f policy.txt
code=0
terraform plan -no-color -lock-timeout=30m -out=tfplan >plan.txt 2>&1 || code=$?
[ "$code" -ne 0 ] || sh policy.sh >policy.txt 2>&1 || code=$?

{
  echo "### Plan of the HubSpot latches"
  echo
  if [ -f policy.txt ]; then
    cat policy.txt
  else
    echo "**There is no plan.** The output has the error."
  fi
  echo
  echo '<details open><summary>Output of terraform plan</summary>'
  echo
  echo '```text'
  # GitHub refuses a comment of more than 65,536 characters.
  grep -v ': Refreshing state' plan.txt | head -c 60000
  echo
  echo '```'
  echo
  echo '</details>'
} >comment.md
cat comment.md
exit "$code"
