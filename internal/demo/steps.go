package main

import (
	"fmt"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The customers of the account.
const (
	bikes  = 2554529
	coffee = 2554530
	dental = 2554531
)

func customers() []fusebillsim.Customer {
	return []fusebillsim.Customer{
		{ID: bikes, CompanyName: "Stolen Bikes"},
		{ID: coffee, CompanyName: "Brown Coffee"},
		{ID: dental, CompanyName: "Castillo Dental", HubSpotID: 303},
	}
}

// latches is what customers are latched to; those that are left out are latched to nothing.
type latches map[int64]fusebill.Latch

// step is one command of the CLI, and what it has to show and to do.
type step struct {
	title    string                       // what is about to be seen
	before   func(*fusebillsim.Simulator) // what somebody else does in Fusebill; nil: nothing
	file     file                         // what the user writes; zero: nothing
	command  string                       // the arguments of the CLI
	exit     int                          // its exit code
	shows    []string                     // parts of its output, with single spaces
	writes   int                          // calls that change the account
	truth    latches                      // what the account holds afterwards
	pictured bool                         // whether the README's picture shows it
}

type file struct {
	name, text string
}

// steps is the demo.
func steps() []step {
	var (
		byHand   = fusebill.Latch{HubSpotID: 303}
		declared = latches{
			bikes:  {HubSpotID: 101, HubSpotCompanyID: 202},
			coffee: {HubSpotCompanyID: 9007199254740993},
			dental: byHand,
		}
		drifted = latches{
			bikes:  {HubSpotID: 999, HubSpotCompanyID: 202},
			coffee: {HubSpotCompanyID: 9007199254740993},
			dental: byHand,
		}
	)
	return []step{{
		title:   "Two latches are declared, and the provider that was just built is installed.",
		file:    file{"main.tf", mainFile()},
		command: "init",
		shows:   []string{"has been successfully initialized!"},
		truth:   latches{dental: byHand},
	}, {
		title:   "The plan shows two latches to make. It changes nothing.",
		command: "plan -out=latches.tfplan",
		shows:   []string{"Plan: 2 to add, 0 to change, 0 to destroy."},
		truth:   latches{dental: byHand},
	}, {
		title:   "Apply makes them, each with one call. The company's ID is above 2^53, and exact.",
		command: "apply latches.tfplan",
		shows:   []string{"Apply complete! Resources: 2 added, 0 changed, 0 destroyed."},
		writes:  2,
		truth:   declared,
	}, {
		title:    "Somebody latches Stolen Bikes to contact 999 in Fusebill. The plan shows the drift.",
		before:   func(account *fusebillsim.Simulator) { account.SetLatch(bikes, 999, 202) },
		command:  "plan -detailed-exitcode -out=latches.tfplan",
		exit:     2,
		shows:    []string{`~ hubspot_id = "999" -> "101"`, "Plan: 0 to add, 1 to change, 0 to destroy."},
		truth:    drifted,
		pictured: true,
	}, {
		title:   "Apply puts it back.",
		command: "apply latches.tfplan",
		shows:   []string{"Apply complete! Resources: 0 added, 1 changed, 0 destroyed."},
		writes:  1,
		truth:   declared,
	}, {
		title:    "Castillo Dental was latched by hand, long ago. Declaring another contact is refused.",
		file:     file{"dental.tf", dentalFile(304)},
		command:  "plan",
		exit:     1,
		shows:    []string{"customer 2554531 is latched to contact 303 already", "Nothing was changed.", `id = "2554531"`},
		truth:    declared,
		pictured: true,
	}, {
		title:   "Its latch is declared as it is, and imported.",
		file:    file{"dental.tf", dentalFile(303)},
		command: fmt.Sprintf("import fusebill_hubspot_latch.dental %d", dental),
		shows:   []string{"Import successful!"},
		truth:   declared,
	}, {
		title:   "The plan is empty, exit code 0: the account is as declared.",
		command: "plan -detailed-exitcode",
		shows:   []string{"No changes."},
		truth:   declared,
	}, {
		title:   "Destroy removes the three latches. The customers stay.",
		command: "destroy -auto-approve",
		shows:   []string{"Destroy complete! Resources: 3 destroyed."},
		writes:  3,
		truth:   latches{},
	}}
}

// mainFile is a configuration that names the provider as a user would: without the host of the registry.
func mainFile() string {
	return fmt.Sprintf(`terraform {
  required_providers {
    fusebill = {
      source = %q
    }
  }
}

resource "fusebill_hubspot_latch" "bikes" {
  fusebill_id        = %d
  hubspot_id         = 101
  hubspot_company_id = 202
}

resource "fusebill_hubspot_latch" "coffee" {
  fusebill_id        = %d
  hubspot_company_id = 9007199254740993
}
`, acctest.Source, bikes, coffee)
}

func dentalFile(contact int64) string {
	return fmt.Sprintf(`resource "fusebill_hubspot_latch" "dental" {
  fusebill_id = %d
  hubspot_id  = %d
}
`, dental, contact)
}
