rm -f terraform.tfstate terraform.tfstate.backup contacts.csv companies.csv
