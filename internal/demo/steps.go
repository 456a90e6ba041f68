package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The customers of the account.
const (
	bikes  = 2554529
	coffee = 2554530
	dental = 2554531
)

var customers = []fusebillsim.Customer{
	{ID: bikes, CompanyName: "Stolen Bikes"},
	{ID: coffee, CompanyName: "Brown Coffee"},
	{ID: dental, CompanyName: "Castillo Dental", HubSpotID: 303},
}

// step is one command of the CLI with its expected output and effect.
type step struct {
	title      string
	before     func(acctest.Account) // a change by somebody else, before the command
	file, text string                // the file that the user writes before the command
	command    string                // the arguments of the CLI
	code       int                   // the expected exit code
	shows      []string              // expected parts of the output, with single spaces
	writes     int                   // the expected number of calls that change the account
	latches    []acctest.Customer    // the expected latches of the account afterwards
	isPictured bool                  // the picture in the README shows the step
}

var (
	unlatched = []acctest.Customer{{ID: bikes}, {ID: coffee}, {ID: dental}}
	atFirst   = []acctest.Customer{{ID: bikes}, {ID: coffee}, {ID: dental, Contact: 303}}
	declared  = []acctest.Customer{
		{ID: bikes, Contact: 101, Company: 202}, {ID: coffee, Company: 9007199254740993}, {ID: dental, Contact: 303},
	}
	drifted = []acctest.Customer{
		{ID: bikes, Contact: 999, Company: 202}, {ID: coffee, Company: 9007199254740993}, {ID: dental, Contact: 303},
	}
)

// steps are the steps of the demo, in order.
var steps = []step{{
	title: "Two latches are declared, and the provider that was just built is installed.",
	file:  "main.tf",
	text: acctest.Required + `
resource "fusebill_hubspot_latch" "bikes" {
  fusebill_id        = 2554529
  hubspot_id         = 101
  hubspot_company_id = 202
}

resource "fusebill_hubspot_latch" "coffee" {
  fusebill_id        = 2554530
  hubspot_company_id = 9007199254740993
}
`,
	command: "init",
	shows:   []string{"has been successfully initialized!"},
	latches: atFirst,
}, {
	title:   "The plan shows two latches to make. It changes nothing.",
	command: "plan -out=latches.tfplan",
	shows:   []string{"Plan: 2 to add, 0 to change, 0 to destroy."},
	latches: atFirst,
}, {
	title:   "Apply makes them, each with one call. The company's ID is above 2^53, and exact.",
	command: "apply latches.tfplan",
	shows:   []string{"Apply complete! Resources: 2 added, 0 changed, 0 destroyed."},
	writes:  2,
	latches: declared,
}, {
	title:      "Somebody latches Stolen Bikes to contact 999 in Fusebill. The plan shows the drift.",
	before:     func(a acctest.Account) { a.SetLatch(bikes, 999, 202) },
	command:    "plan -detailed-exitcode -out=latches.tfplan",
	code:       2,
	shows:      []string{`~ hubspot_id = "999" -> "101"`, "Plan: 0 to add, 1 to change, 0 to destroy."},
	latches:    drifted,
	isPictured: true,
}, {
	title:   "Apply restores it.",
	command: "apply latches.tfplan",
	shows:   []string{"Apply complete! Resources: 0 added, 1 changed, 0 destroyed."},
	writes:  1,
	latches: declared,
}, {
	title:      "Castillo Dental was latched by hand, long ago. The plan warns of another contact.",
	file:       "dental.tf",
	text:       acctest.Block(`resource "fusebill_hubspot_latch" "dental"`, "fusebill_id = 2554531", "hubspot_id  = 304"),
	command:    "plan",
	shows:      []string{"customer 2554531 is already latched to contact 303", "Nothing was changed.", `id = "2554531"`},
	latches:    declared,
	isPictured: true,
}, {
	title:   "Its latch is declared as it is, and imported.",
	file:    "dental.tf",
	text:    acctest.Block(`resource "fusebill_hubspot_latch" "dental"`, "fusebill_id = 2554531", "hubspot_id  = 303"),
	command: "import fusebill_hubspot_latch.dental 2554531",
	shows:   []string{"Import successful!"},
	latches: declared,
}, {
	title:   "The plan is empty, exit code 0: the account is as declared.",
	command: "plan -detailed-exitcode",
	shows:   []string{"No changes."},
	latches: declared,
}, {
	title:   "Destroy removes the three latches. The customers stay.",
	command: "destroy -auto-approve",
	shows:   []string{"Destroy complete! Resources: 3 destroyed."},
	writes:  3,
	latches: unlatched,
}}

// check compares the result of a step with the expected one.
func (s step) check(got acctest.Result, account acctest.Account) error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if got.Code != s.code {
		fail("the exit code is %d, want %d", got.Code, s.code)
	}
	text := plain(got.Output)
	for _, want := range s.shows {
		if !strings.Contains(text, want) {
			fail("the output lacks %q", want)
		}
	}
	if writes := account.Writes(); writes != s.writes {
		fail("%d calls wrote to the account, want %d", writes, s.writes)
	}
	var latches []acctest.Customer
	for _, c := range account.Customers() {
		latches = append(latches, latchOf(c))
	}
	if !slices.Equal(latches, s.latches) {
		fail("the latches of the account are %v, want %v", latches, s.latches)
	}
	return errors.Join(errs...)
}

// plain removes colors, frames, line breaks and columns from a text. They depend on the version of
// the CLI and on the terminal.
func plain(text string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(escape.ReplaceAllString(text, ""), "│", "")), " ")
}
