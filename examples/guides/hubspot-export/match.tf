terraform {
  required_providers {
    fusebill = {
      source = "fusebill/fusebill"
    }
  }
}

data "fusebill_customers" "active" {
  statuses = ["Active"]
}

locals {
  customers = data.fusebill_customers.active.customers

  # The most reliable rule comes first. The right side of a rule is the name of a column.
  contacts = provider::fusebill::match_hubspot_export(
    local.customers, file("${path.module}/contacts.csv"),
    "reference = Customer number",
    "primary_email = Email",
  )
  companies = provider::fusebill::match_hubspot_export(
    local.customers, file("${path.module}/companies.csv"),
    "reference = Customer number",
    "company_name = Company name",
  )

  kinds = { contacts = local.contacts, companies = local.companies }

  # The names are for reviewers.
  names = { for customer in local.customers : customer.id => try(coalesce(customer.company_name, customer.reference), "") }
  rows = [
    for id, name in local.names : [
      id,
      try(local.contacts.matches[id], ""),
      try(local.companies.matches[id], ""),
      name,
      try(local.contacts.record_names[local.contacts.matches[id]], ""),
      try(local.companies.record_names[local.companies.matches[id]], ""),
    ] if can(local.contacts.matches[id]) || can(local.companies.matches[id])
  ]
}

# These outputs have names and email addresses. As sensitive outputs, they do not appear in the log of an apply.
output "latches_csv" {
  sensitive = true
  value = join("\n", concat(["fusebill_id,hubspot_id,hubspot_company_id,customer,contact,company"], [
    for row in local.rows : join(",", [for cell in row : format("\"%s\"", replace(cell, "\"", "\"\""))])
  ], [""]))
}

output "rest" {
  sensitive = true
  value = {
    for kind, match in local.kinds : kind => {
      unmatched = [for id in match.unmatched : "${id} ${local.names[id]}"]
      ambiguous = {
        for id, records in match.ambiguous : "${id} ${local.names[id]}" => [
          for record in records : "${record} ${match.record_names[record]}"
        ]
      }
      contested = {
        for record, ids in match.contested : "${record} ${match.record_names[record]}" => [
          for id in ids : "${id} ${local.names[id]}"
        ]
      }
    }
  }
}

output "counts" {
  value = {
    for kind, match in local.kinds : kind => {
      matched   = length(match.matches)
      unmatched = length(match.unmatched)
      ambiguous = length(match.ambiguous)
      contested = length(match.contested)
    }
  }
}
