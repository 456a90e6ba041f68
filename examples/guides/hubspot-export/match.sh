terraform init
terraform apply
terraform output -raw latches_csv >latches.csv
terraform output rest
