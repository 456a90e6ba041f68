terraform {
  # Turn on versioning for the bucket, so you can restore a former state.
  backend "s3" {
    bucket       = "example-terraform-state"
    key          = "hubspot-latches.tfstate"
    region       = "us-east-1"
    encrypt      = true
    use_lockfile = true # Needs Terraform or OpenTofu 1.10.
  }
}
