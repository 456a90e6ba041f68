terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

variable "contact" {
  type = string
}

data "fusebill_customer" "holder" {
  hubspot_id = var.contact
}

output "holder" {
  value = "customer ${data.fusebill_customer.holder.id} (${data.fusebill_customer.holder.company_name})"
}
