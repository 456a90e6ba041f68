#!/bin/sh
# Plans, checks the plan, and writes the result to comment.md, which becomes a comment on the pull request.
set -eu

terraform init -no-color

rm -f policy.txt
code=0
terraform plan -no-color -lock-timeout=30m -out=tfplan >plan.txt 2>&1 || code=$?
if [ "$code" -eq 0 ]; then
  sh policy.sh >policy.txt 2>&1 || code=$?
fi

# GitHub refuses a comment of more than 65,536 characters. Totals and warnings are at the end of the plan.
grep -v ': Refreshing state' plan.txt >shown.txt || true
if [ "$(wc -l <shown.txt)" -gt 600 ]; then
  {
    head -n 300 shown.txt
    echo "[…]"
    tail -n 300 shown.txt
  } >shorter.txt
  mv shorter.txt shown.txt
fi

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
  cat shown.txt
  echo '```'
  echo
  echo '</details>'
} >comment.md
cat comment.md
exit "$code"
