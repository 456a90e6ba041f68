terraform plan -out=tfplan
terraform show -json tfplan >tfplan.json
jq -e '[.checks[]? | select(.status == "fail")] | length == 0' tfplan.json
