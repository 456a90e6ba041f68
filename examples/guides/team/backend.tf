terraform {
  # The bucket has versioning turned on, so that a former state can be restored.
  backend "s3" {
    bucket       = "example-terraform-state"
    key          = "hubspot-latches.tfstate"
    region       = "us-east-1"
    encrypt      = true
    use_lockfile = true # Needs Terraform or OpenTofu 1.10.
  }
}
