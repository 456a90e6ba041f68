# This mock replaces the provider in all runs of this file. It needs no key and makes no call.
mock_provider "fusebill" {}

run "each_line_becomes_a_latch" {
  variables {
    csv = <<-EOT
      fusebill_id,hubspot_id,hubspot_company_id
      2554529,101,202
      2554530,,9007199254740993
    EOT
  }

  assert {
    condition     = toset(keys(fusebill_hubspot_latch.customer)) == toset(["2554529", "2554530"])
    error_message = "Each line should become a latch, by its customer's ID."
  }

  assert {
    condition     = fusebill_hubspot_latch.customer["2554529"].hubspot_id == "101"
    error_message = "The contact should be that of the line."
  }

  assert {
    condition     = fusebill_hubspot_latch.customer["2554530"].hubspot_id == null
    error_message = "An empty cell should be no contact."
  }

  assert {
    condition     = fusebill_hubspot_latch.customer["2554530"].hubspot_company_id == "9007199254740993"
    error_message = "A large ID should keep every digit."
  }
}

run "line_without_contact_and_company_is_refused" {
  command = plan

  variables {
    csv = <<-EOT
      fusebill_id,hubspot_id,hubspot_company_id
      2554529,101,202
      2554530,,
    EOT
  }

  expect_failures = [var.csv]
}

run "customer_on_two_lines_is_refused" {
  command = plan

  variables {
    csv = <<-EOT
      fusebill_id,hubspot_id,hubspot_company_id
      2554529,101,
      2554529,,202
    EOT
  }

  expect_failures = [var.csv]
}
