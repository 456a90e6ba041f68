package provider

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The tests in this file inject faults into the calls for a single latch. They check that:
//
//   - a write whose response is lost succeeds: the provider repeats the call or reads the customer;
//   - if the outcome of a write stays unknown, an error reports it, the resource is not tainted,
//     and the next apply converges;
//   - if the API refuses a call, the error on the attribute at fault quotes the reason;
//   - a response that differs from the request is an error.
//
// Package acceptance interrupts runs. Timeouts are in resource_hubspot_latch_test.go and
// protocol_test.go, and the full text of each error is in diagnostics_test.go.

func TestAccHubSpotLatchFaults_lostResponses(t *testing.T) {
	t.Parallel()
	// If one response is lost, the provider repeats the call. If all are lost, it reads the
	// customer.
	for _, c := range []struct {
		kind  fusebillsim.FaultKind
		lost  int
		calls int
	}{
		{fusebillsim.FaultDropAfter, 1, 2},
		{fusebillsim.FaultStatus500After, 1, 2},
		{fusebillsim.FaultDropAfter, -1, acctest.TriesOfACall},
		{fusebillsim.FaultStatus500After, -1, acctest.TriesOfACall},
		{fusebillsim.FaultTruncatedBody, -1, acctest.TriesOfACall},
		{fusebillsim.FaultHTMLBody, -1, acctest.TriesOfACall}, // a proxy's page, although the call was made
	} {
		t.Run(fmt.Sprintf("%s in %d calls", c.kind, c.calls), func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11})
			first := acctest.Customer{ID: 11, Contact: 101}
			second := acctest.Customer{ID: 11, Contact: 102, Company: 202}
			loseResponses := func() { a.Faults(c.kind, fusebillsim.RouteLatch, c.lost) }
			acctest.Run(t,
				a.Step(t, acctest.Step{
					Prepare: loseResponses,
					Action:  plancheck.ResourceActionCreate, After: first, Writes: acctest.Times(c.calls, first),
				}),
				a.Step(t, acctest.Step{
					Prepare: loseResponses,
					Action:  plancheck.ResourceActionUpdate, Before: first, After: second,
					Writes: acctest.Times(c.calls, second),
				}),
				resource.TestStep{
					PreConfig: func() { a.ResetCalls(); loseResponses() },
					Config:    a.With(),
					PostApplyFunc: func() {
						a.Wrote(t, acctest.Times(c.calls, acctest.Customer{ID: 11})...)
						a.Holds(t, acctest.Customer{ID: 11})
					},
				},
			)
		})
	}
}

// The writes are not made, but a read cannot prove that, because the service may make a write
// later. The error names the current latch of the customer.
func TestAccHubSpotLatchFaults_writesThatWereNotMade(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	var repair func()
	declared := acctest.Customer{ID: 11, Contact: 101}
	acctest.Run(t,
		resource.TestStep{
			PreConfig: func() { repair = a.Faults(fusebillsim.FaultStatus500Before, fusebillsim.RouteLatch, -1) },
			Config:    a.With(declared.Block()),
			ExpectError: acctest.Diagnosis("Outcome of the latch call is unknown", latchLine,
				"Could not create the HubSpot latch of customer 11 to contact 101: POST HubSpot/latchCustomer: "+
					`500 Internal Server Error: "An unexpected error occurred`,
				"(the outcome is unknown); afterwards customer 11 was latched to nothing, "+
					"but Fusebill may still latch the customer to contact 101.",
				"Apply again"),
		},
		a.Step(t, acctest.Step{
			Prepare: func() { repair() },
			// A tainted resource would be replaced, and its destroy would unlatch the customer.
			Action: plancheck.ResourceActionCreate, After: declared, Writes: []acctest.Customer{declared},
		}),
	)
}

// The service makes a change, its response is lost, and then the service does not respond at all.
// So the outcome is unknown.
func TestAccHubSpotLatchFaults_outcomeUnknown(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	first, second := acctest.Customer{ID: 11, Contact: 101}, acctest.Customer{ID: 11, Contact: 101, Company: 202}
	// While isLosing is true, writes are made and their responses are lost. After the first of
	// them, the service is down.
	var isLosing, isDown atomic.Bool
	a.Inject(fusebillsim.Fault{
		Kind: fusebillsim.FaultDropAfter, Route: fusebillsim.RouteLatch, Times: -1,
		Match:    func(*http.Request) bool { return isLosing.Load() },
		OnAnswer: func(*http.Request) { isDown.Store(true) },
	})
	for _, route := range acctest.ReadRoutes {
		a.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultDropBefore, Route: route, Times: -1,
			Match: func(*http.Request) bool { return isDown.Load() },
		})
	}
	fail := func() { isLosing.Store(true) }
	repair := func() { isLosing.Store(false); isDown.Store(false) }
	unknown := func(doing string) []string {
		return []string{
			"Could not " + doing + ": POST HubSpot/latchCustomer: ",
			"(the outcome is unknown); customer 11 could not be read afterwards", "GET customers/11: ",
			"Fusebill may have made this change. Apply again: the provider reads the customer first",
		}
	}
	acctest.Run(t,
		resource.TestStep{
			PreConfig: fail,
			Config:    a.With(first.Block()),
			ExpectError: acctest.Diagnosis("Outcome of the latch call is unknown", latchLine,
				unknown("create the HubSpot latch of customer 11 to contact 101")...),
		},
		// There is no state that could be tainted. The create adopts the latch that the account
		// has.
		a.Step(t, acctest.Step{Prepare: repair, Action: plancheck.ResourceActionCreate, After: first}),
		resource.TestStep{
			PreConfig: fail,
			Config:    a.With(second.Block()),
			ExpectError: acctest.Diagnosis("Outcome of the latch call is unknown", latchLine,
				unknown("update the HubSpot latch of customer 11 to contact 101 and company 202")...),
		},
		// The refresh finds that the update was made.
		a.Step(t, acctest.Step{Prepare: repair, Action: plancheck.ResourceActionNoop, Before: second, After: second}),
		resource.TestStep{
			PreConfig: fail,
			Config:    a.With(),
			ExpectError: acctest.Diagnosis("Outcome of the latch call is unknown", "",
				unknown("delete the HubSpot latch of customer 11")...),
		},
		resource.TestStep{
			PreConfig: func() { repair(); a.ResetCalls() },
			Config:    a.With(),
			PostApplyFunc: func() {
				a.Wrote(t)
				a.Holds(t, acctest.Customer{ID: 11})
			},
		},
	)
}

// The simulator makes the change, but flips the last bit of each ID in its response.
func TestAccHubSpotLatchFaults_responseThatDiffersIsAnError(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	declared := acctest.Customer{ID: 11, Contact: 100, Company: 202}
	differ := func() { a.Faults(fusebillsim.FaultDifferentAnswer, fusebillsim.RouteLatch, 1) }
	acctest.Run(t,
		resource.TestStep{
			PreConfig: differ,
			Config:    a.With(declared.Block()),
			ExpectError: acctest.Diagnosis("Fusebill answered with another latch", latchLine,
				"Could not create the HubSpot latch of customer 11 to contact 100 and company 202: "+
					"customer 11 was to be latched to contact 100 and company 202, and Fusebill answered that "+
					"the customer is latched to contact 101 and company 203.",
				"The next plan shows the current latch."),
		},
		a.Step(t, acctest.Step{Action: plancheck.ResourceActionCreate, After: declared}),
		resource.TestStep{
			PreConfig: differ,
			Config:    a.With(),
			ExpectError: acctest.Diagnosis("Fusebill answered with another latch", "",
				"Could not delete the HubSpot latch of customer 11: "+
					"customer 11 was to be latched to nothing, and Fusebill answered that "+
					"the customer is latched to contact 1 and company 1."),
		},
	)
}

// checkExists is a part of the next step for a contact or company that HubSpot refuses.
const checkExists = "exists in the HubSpot account that is connected to Fusebill, " +
	"and that no other customer is latched to it."

func TestAccHubSpotLatchFaults_unknownContactOrCompany(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		declared acctest.Customer
		summary  string
		line     string
		words    string
		next     string
	}{
		"contact": {
			acctest.Customer{ID: 11, Contact: 404}, "HubSpot contact cannot be latched", "hubspot_id = 404",
			`"The was an error getting the contact from HubSpot: resource not found".`,
			"Check that contact 404 " + checkExists + " To find that customer:",
		},
		"contact, with a company": {
			acctest.Customer{ID: 11, Contact: 404, Company: 202}, "HubSpot contact cannot be latched", "hubspot_id = 404",
			`"The was an error getting the contact from HubSpot: resource not found".`,
			"Check that contact 404 " + checkExists,
		},
		"company, with a contact": {
			acctest.Customer{ID: 11, Contact: 101, Company: 405},
			"HubSpot company cannot be latched", "hubspot_company_id = 405",
			`"The was an error getting the company from HubSpot: resource not found".`,
			"Check that company 405 " + checkExists + " To find that customer:",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11})
			a.Configure(func(b *fusebillsim.Behavior) {
				b.UnknownContacts = map[int64]bool{404: true}
				b.UnknownCompanies = map[int64]bool{405: true}
			})
			acctest.Run(t, acctest.Refused(a.With(c.declared.Block()), acctest.Diagnosis(c.summary, c.line,
				"Could not create the HubSpot latch of customer 11 to "+c.declared.Latch().String()+": "+
					"POST HubSpot/latchCustomer: 400 Bad Request: "+c.words, c.next)))
			a.Wrote(t, c.declared) // The provider does not repeat a call that was refused.
			a.Holds(t, acctest.Customer{ID: 11})
		})
	}
}

// The provider knows the holder from the account, and refuses the claim without a write. Otherwise
// a service that moves latches without an error would take the contact or company from the holder.
func TestAccHubSpotLatchFaults_claimOfAnotherHolder(t *testing.T) {
	t.Parallel()
	holder := acctest.Customer{ID: 22, Contact: 102, Company: 203}
	for _, mode := range []fusebillsim.ConflictMode{
		fusebillsim.ConflictStatus409, fusebillsim.ConflictStatus400, fusebillsim.ConflictMoves,
	} {
		for name, c := range map[string]struct {
			declared acctest.Customer
			summary  string
			line     string
			words    string
		}{
			"contact": {
				acctest.Customer{ID: 11, Contact: 102, Company: 202},
				"HubSpot contact is latched to another customer", "hubspot_id = 102",
				"contact 102 is latched to customer 22.",
			},
			"company": {
				acctest.Customer{ID: 11, Contact: 101, Company: 203},
				"HubSpot company is latched to another customer", "hubspot_company_id = 203",
				"company 203 is latched to customer 22.",
			},
		} {
			t.Run(fmt.Sprintf("%s in mode %d", name, mode), func(t *testing.T) {
				a := acctest.AccountWith(t, acctest.Customer{ID: 11}, holder)
				a.Configure(func(b *fusebillsim.Behavior) { b.Conflict = mode })
				acctest.Run(t, acctest.Refused(a.With(c.declared.Block()), acctest.Diagnosis(c.summary, c.line,
					"Could not create the HubSpot latch of customer 11 to "+c.declared.Latch().String()+": "+c.words,
					"Nothing was changed.", "set allow_reassociation = true")))
				a.Wrote(t)
				a.Holds(t, acctest.Customer{ID: 11}, holder)
			})
		}
	}
}

// With conflict_check = "never" the provider does not know the holder. The service refuses the
// claim, and the error quotes it. The holder is not among the ten oldest customers, because the
// provider reads those in any case to recognize the account.
func TestAccHubSpotLatchFaults_conflictQuotesTheService(t *testing.T) {
	t.Parallel()
	holder := acctest.Customer{ID: 22, Contact: 102, Company: 203}
	const (
		conflict   = `409 Conflict: "the HubSpot `
		badRequest = `400 Bad Request: "An error occurred while updating the customer".`
	)
	for name, c := range map[string]struct {
		mode     fusebillsim.ConflictMode
		declared acctest.Customer
		summary  string
		line     string
		words    string
		next     string
	}{
		"contact, refused with 409": {
			fusebillsim.ConflictStatus409, acctest.Customer{ID: 11, Contact: 102, Company: 202},
			"HubSpot contact cannot be latched", "hubspot_id = 102",
			conflict + `contact is already latched to another customer".`, "Check that contact 102 " + checkExists,
		},
		"company, refused with 409": {
			fusebillsim.ConflictStatus409, acctest.Customer{ID: 11, Contact: 101, Company: 203},
			"HubSpot company cannot be latched", "hubspot_company_id = 203",
			conflict + `company is already latched to another customer".`, "Check that company 203 " + checkExists,
		},
		// The text of a 400 does not name the ID at fault. If only one ID is declared, it must be
		// that one.
		"contact, refused with 400": {
			fusebillsim.ConflictStatus400, acctest.Customer{ID: 11, Contact: 102},
			"HubSpot contact cannot be latched", "hubspot_id = 102", badRequest,
			"Check that contact 102 " + checkExists,
		},
		"company, refused with 400": {
			fusebillsim.ConflictStatus400, acctest.Customer{ID: 11, Company: 203},
			"HubSpot company cannot be latched", "hubspot_company_id = 203", badRequest,
			"Check that company 203 " + checkExists,
		},
		"contact or company, refused with 400": {
			fusebillsim.ConflictStatus400, acctest.Customer{ID: 11, Contact: 102, Company: 202},
			"HubSpot contact or company cannot be latched", latchLine, badRequest,
			"Check that contact 102 and company 202 exist in the HubSpot account that is connected to Fusebill, and that no " +
				"other customer is latched to either of them.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, append(acctest.NumberedSet(11, 0).Unlatched(), holder)...)
			a.Configure(func(b *fusebillsim.Behavior) { b.Conflict = c.mode })
			config := a.Provider(`conflict_check = "never"`) + c.declared.Block()
			acctest.Run(t, acctest.Refused(config, acctest.Diagnosis(c.summary, c.line,
				"Could not create the HubSpot latch of customer 11 to "+c.declared.Latch().String()+": "+
					"POST HubSpot/latchCustomer: "+c.words, c.next)))
			a.Holds(t, acctest.Customer{ID: 11}, holder)
		})
	}
}

// A refused update changes neither the state nor the account, and the next apply works.
func TestAccHubSpotLatchFaults_refusedUpdateChangesNothing(t *testing.T) {
	before := acctest.Customer{ID: 11, Contact: 101, Company: 202}
	refused := acctest.Customer{ID: 11, Contact: 404, Company: 202}
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	a.Configure(func(b *fusebillsim.Behavior) { b.UnknownContacts = map[int64]bool{404: true} })
	acctest.Run(t, a.Creates(t, before),
		acctest.Refused(a.With(refused.Block()), acctest.Diagnosis("HubSpot contact cannot be latched", "hubspot_id = 404",
			"Could not update the HubSpot latch of customer 11 to contact 404 and company 202", "resource not found")),
		a.Step(t, acctest.Step{Action: plancheck.ResourceActionNoop, Before: before, After: before}),
	)
}

// Another user's call latches another customer to the contact, and the service takes it from the
// first one without an error. The latch of the first customer then shows as drift.
func TestAccHubSpotLatchFaults_contactTakenByAnotherUser(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
	a.Configure(func(b *fusebillsim.Behavior) { b.Conflict = fusebillsim.ConflictMoves })
	former, holder := acctest.Customer{ID: 11, Contact: 101, Company: 202}, acctest.Customer{ID: 22, Contact: 101}
	acctest.Run(t, a.Creates(t, former), resource.TestStep{
		PreConfig: func() { a.SetLatch(22, 101, 0) },
		Config:    a.With(former.Block()),
		PlanOnly:  true, ExpectNonEmptyPlan: true,
		ConfigPlanChecks: resource.ConfigPlanChecks{
			PostApplyPostRefresh: acctest.Plans(plancheck.ResourceActionUpdate, acctest.Customer{ID: 11, Company: 202}, former),
		},
	})
	a.Holds(t, holder)
}

func TestAccHubSpotLatchFaults_failedReads(t *testing.T) {
	t.Parallel()
	const page = "<html> <head><title>Please wait</title></head> <body><h1>Proxy</h1></body> </html>"
	for _, c := range []struct {
		kind    fusebillsim.FaultKind
		summary string
		parts   []string
	}{
		{fusebillsim.FaultHTMLBody, "Fusebill's answer cannot be understood", []string{
			page, "A proxy may have answered instead of Fusebill. Check base_url"}},
		{fusebillsim.FaultHTML502, "Fusebill returned a server error", []string{
			"502 Bad Gateway, not in the API's form (text/html): " + page, "Run Terraform again later."}},
		{fusebillsim.FaultDropBefore, "Fusebill cannot be reached", []string{
			"EOF", "Check base_url, the network and any proxy"}},
		{fusebillsim.FaultRedirectHost, "Base URL redirects to another address", []string{
			"redirects to http://" + fusebillsim.RedirectHost, "the API key is only for the host of the base URL"}},
	} {
		t.Run(c.kind.String(), func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11})
			declared := acctest.Customer{ID: 11, Contact: 101}
			var repair func()
			fails := func(what string) resource.TestStep {
				return resource.TestStep{
					PreConfig:   func() { repair = a.Faults(c.kind, "", -1) },
					Config:      a.With(declared.Block()),
					ExpectError: acctest.Diagnosis(c.summary, latchLine, append([]string{what}, c.parts...)...),
				}
			}
			acctest.Run(t,
				fails("Could not create the HubSpot latch of customer 11 to contact 101"),
				// Without a read, the provider has made no write, and the state has no latch.
				a.Step(t, acctest.Step{
					Prepare: func() { a.Wrote(t); repair() },
					Action:  plancheck.ResourceActionCreate, After: declared, Writes: []acctest.Customer{declared},
				}),
				fails("Could not read the HubSpot latch of customer 11"),
				// A failed read does not remove the latch from the state.
				a.Step(t, acctest.Step{
					Prepare: func() { repair() },
					Action:  plancheck.ResourceActionNoop, Before: declared, After: declared,
				}),
			)
		})
	}
}

// keyOfAnotherAccount has the form of an API key, but is not that of the account.
var keyOfAnotherAccount = base64.StdEncoding.EncodeToString([]byte("0:" + strings.Repeat("another!", 8)))

func TestAccHubSpotLatchFaults_wrongKey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ key, words string }{
		"of another account": {keyOfAnotherAccount, `401 Unauthorized: "The API key is missing or wrong."`},
		"of another form":    {"d3Jvbmcta2V5", `400 Bad Request: "Authorization key is not in the correct format."`},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11})
			config := acctest.ProviderBlock(`api_key = "`+c.key+`"`, `base_url = "`+a.URL+`"`) +
				acctest.Customer{ID: 11, Contact: 101}.Block()
			acctest.Run(t, acctest.Refused(config, acctest.Diagnosis("Fusebill refused the API key", latchLine,
				"Could not plan the HubSpot latch of customer 11 to contact 101: ", c.words,
				"The provider sent the API key to "+a.URL, "Fusebill shows it under Settings > Integrations > API Key",
				"Set api_key in the provider block or FUSEBILL_API_KEY")))
			if n := a.Count(); n != 1 {
				t.Errorf("%d calls with a refused key, want 1: each failed login may lock the account", n)
			}
		})
	}
}

func TestAccHubSpotLatchFaults_unreachableHost(t *testing.T) {
	config := acctest.ProviderBlock(`base_url = "`+acctest.NobodyURL+`/v1"`) +
		acctest.Customer{ID: 11, Contact: 101}.Block()
	acctest.Run(t, acctest.Refused(config, acctest.Diagnosis("Fusebill cannot be reached", latchLine,
		"Could not create the HubSpot latch of customer 11 to contact 101: ", "connection refused",
		"Check base_url, the network and any proxy, then run Terraform again.")))
}

// After the quota of the day is used up, each further call of the run would fail, so the provider
// makes none. The process for the plan and the one for the apply make one call each.
func TestAccHubSpotLatchFaults_quotaOfDayIsUsedUp(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	a.Faults(fusebillsim.FaultRateLimitDay, "", -1)
	config := a.With(acctest.Customer{ID: 11, Contact: 101}.Block())
	acctest.Run(t, acctest.Refused(config, acctest.Diagnosis("Fusebill's quota of API calls is used up", latchLine,
		"calls per day is used up until ", "API calls per day is exceeded.",
		"Run Terraform again when the quota is renewed.")))
	if n := a.Count(); n > 2 {
		t.Errorf("%d calls, want at most 2", n)
	}
}
