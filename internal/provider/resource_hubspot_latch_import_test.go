package provider

import (
	"fmt"
	"math"
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// The tests in this file import a latch by the ID of its customer, with the import command, an
// import block, and an identity. They check that an import makes no write, that the plan after it
// is empty, and that an invalid import ID is refused with the next step.
//
// protocol_test.go checks imports by identity, and invalid identities, without a CLI that has them.

func TestAccHubSpotLatchImport_byCommand(t *testing.T) {
	t.Parallel()
	for _, latch := range []acctest.Customer{
		{ID: 11, Contact: 101}, {ID: 11, Company: 202}, {ID: 11, Contact: 101, Company: 202},
	} {
		t.Run(latch.Latch().String(), func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11})
			acctest.Run(t, a.Creates(t, latch), resource.TestStep{
				PreConfig:                            a.ResetCalls,
				ResourceName:                         acctest.LatchAddress,
				ImportState:                          true,
				ImportStateId:                        "11",
				ImportStateVerify:                    true,
				ImportStateVerifyIdentifierAttribute: "fusebill_id",
			}, a.Step(t, acctest.Step{
				Prepare: func() { a.Wrote(t) },
				Action:  plancheck.ResourceActionNoop, Before: latch, After: latch,
			}))
		})
	}
}

// importOf returns an import block for the latch "test", with the argument id or identity.
func importOf(argument string) string {
	return acctest.Block("import", "to = "+acctest.LatchAddress, argument)
}

func TestAccHubSpotLatchImport_byBlockWithID(t *testing.T) {
	latch := acctest.Customer{ID: 11, Contact: 101, Company: 202}
	a := acctest.AccountWith(t, latch)
	acctest.Needs(t, "import blocks", tfversion.SkipBelow(tfversion.Version1_5_0),
		a.Step(t, acctest.Step{
			Config: a.With(latch.Block(), importOf(`id = "11"`)),
			Action: plancheck.ResourceActionNoop, Before: latch, After: latch,
		}))
}

// If one apply imports and changes a latch, the plan shows the current and the declared latch.
func TestAccHubSpotLatchImport_withChange(t *testing.T) {
	current, declared := acctest.Customer{ID: 11, Contact: 101, Company: 202}, acctest.Customer{ID: 11, Contact: 102}
	a := acctest.AccountWith(t, current)
	acctest.Needs(t, "import blocks", tfversion.SkipBelow(tfversion.Version1_5_0),
		a.Step(t, acctest.Step{
			Config: a.With(declared.Block(), importOf(`id = "11"`)),
			Action: plancheck.ResourceActionUpdate, Before: current, After: declared,
			Writes: []acctest.Customer{declared},
		}))
}

func TestAccHubSpotLatchImport_byBlockWithIdentity(t *testing.T) {
	latch := acctest.Customer{ID: math.MaxInt64, Contact: 9007199254740993, Company: 4294967297}
	a := acctest.AccountWith(t, latch)
	s := a.Step(t, acctest.Step{
		Config: a.With(latch.Block(), importOf(fmt.Sprintf("identity = {\n    fusebill_id = %d\n  }", latch.ID))),
		Action: plancheck.ResourceActionNoop, Before: latch, After: latch,
	})
	s.ConfigStateChecks = append(s.ConfigStateChecks, hasIdentity(latch.ID),
		statecheck.ExpectIdentityValueMatchesState(acctest.LatchAddress, tfjsonpath.New("fusebill_id")))
	acctest.Needs(t, "resource identity", tfversion.SkipBelow(tfversion.Version1_12_0), s)
}

// hasIdentity checks that the latch "test" has the identity of a customer.
func hasIdentity(customerID int64) statecheck.StateCheck {
	return statecheck.ExpectIdentity(acctest.LatchAddress, map[string]knownvalue.Check{
		"fusebill_id": knownvalue.StringExact(formatID(customerID)),
	})
}

// The identity is that of the customer. Each operation sets it, and it stays when the HubSpot IDs
// change.
func TestAccHubSpotLatchImport_identityIsTheCustomer(t *testing.T) {
	first := acctest.Customer{ID: 11, Contact: 101}
	changed := acctest.Customer{ID: 11, Contact: 102, Company: 202}
	replaced := acctest.Customer{ID: 22, Contact: 102, Company: 202}
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
	identified := func(s resource.TestStep, customerID int64) resource.TestStep {
		s.ConfigStateChecks = append(s.ConfigStateChecks, hasIdentity(customerID))
		return s
	}
	acctest.Needs(t, "resource identity", tfversion.SkipBelow(tfversion.Version1_12_0),
		identified(a.Creates(t, first), 11),
		identified(a.Step(t, acctest.Step{
			Action: plancheck.ResourceActionUpdate, Before: first, After: changed, Writes: []acctest.Customer{changed},
		}), 11),
		resource.TestStep{
			ResourceName: acctest.LatchAddress, ImportState: true,
			ImportStateKind: resource.ImportBlockWithResourceIdentity,
		},
		identified(a.Step(t, acctest.Step{
			Action: plancheck.ResourceActionDestroyBeforeCreate, Before: changed, After: replaced,
			Writes: []acctest.Customer{{ID: 11}, replaced},
		}), 22),
	)
}

// The configuration that Terraform generates for an import block is valid and equal to the current
// latch.
func TestAccHubSpotLatchImport_generatedConfigurationNeedsNoChange(t *testing.T) {
	latch := acctest.Customer{ID: 11, Company: 9007199254740993}
	a := acctest.AccountWith(t, latch)
	acctest.Needs(t, "generated configuration", tfversion.SkipBelow(tfversion.Version1_5_0),
		resource.TestStep{
			Config: a.With(), ResourceName: acctest.LatchAddress, ImportState: true, ImportStateId: "11",
			ImportStateKind: resource.ImportBlockWithID, GenerateConfig: true,
			ImportPlanChecks: resource.ImportPlanChecks{
				PreApply: acctest.Plans(plancheck.ResourceActionNoop, latch, latch),
			},
		})
	a.Wrote(t)
}

func TestAccHubSpotLatchImport_refusesInvalidIDs(t *testing.T) {
	t.Parallel()
	notAnID := func(id string) *regexp.Regexp {
		return acctest.Diagnosis("Invalid import ID", "", idFault(id, idOfCustomer))
	}
	for name, c := range map[string]struct {
		id        string
		diagnosis *regexp.Regexp
	}{
		"reference":        {"CUST-11", notAnID("CUST-11")},
		"fraction":         {"11.0", notAnID("11.0")},
		"zero":             {"0", notAnID("0")},
		"beyond 64 bits":   {"9223372036854775808", notAnID("9223372036854775808")},
		"customer and IDs": {"11/101", notAnID("11/101")},
		"customer without a latch": {"22", acctest.Diagnosis("Customer is not latched", "",
			"Customer 22 exists and is latched to nothing in HubSpot, so there is nothing to import.",
			"declare the resource and apply without an import", "use the ID of a customer that is latched")},
		"unknown customer": {"99", acctest.Diagnosis("Customer not found in Fusebill", "",
			"Could not import the HubSpot latch of customer 99", `404 Not Found: "Customer with id 99 was not found."`,
			"Check that 99 is the ID of the customer", "and not its reference")},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11, Contact: 101}, acctest.Customer{ID: 22})
			acctest.Run(t, resource.TestStep{
				Config: a.With(acctest.Customer{ID: 11, Contact: 101}.Block()), ResourceName: acctest.LatchAddress,
				ImportState: true, ImportStateId: c.id, ExpectError: c.diagnosis,
			})
			a.Wrote(t)
		})
	}
}

func TestAccHubSpotLatchImport_malformedIDMakesNoCall(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11, Contact: 101})
	config := a.With(acctest.Customer{ID: 11, Contact: 101}.Block(), importOf(`id = "eleven"`))
	acctest.Needs(t, "import blocks", tfversion.SkipBelow(tfversion.Version1_5_0), acctest.Refused(config,
		acctest.Diagnosis("Invalid import ID", "", `"eleven" is not the ID of a Fusebill customer`)))
	if n := a.Count(); n > 0 {
		t.Errorf("%d calls were made: %v", n, a.Calls())
	}
}
