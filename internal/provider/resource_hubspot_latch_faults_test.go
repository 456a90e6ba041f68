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

// The promises tested here: a lost answer isn't a lost write, and isn't a second one that matters; when the outcome can't
// be found out, the error says so, nothing is tainted, and the next apply converges; what the service refuses is told in
// its own words on the attribute at fault; an answer that differs from the request is an error.
//
// The interrupted run is in internal/acceptance, timeouts are in resource_hubspot_latch_test.go and protocol_test.go, every
// error's full text is in diagnostics_test.go.

func TestAccHubSpotLatchFaults_lostAnswersEndInSuccess(t *testing.T) {
	t.Parallel()
	// One answer is lost: the call is made again. All are lost: the customer is read instead.
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
		{fusebillsim.FaultHTMLBody, -1, acctest.TriesOfACall}, // a proxy's page, and the call was made all the same
	} {
		t.Run(fmt.Sprintf("%s in %d calls", c.kind, c.calls), func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11})
			losing := func() { a.Faults(c.kind, fusebillsim.RouteLatch, c.lost) }
			acctest.Run(t,
				a.Step(t, acctest.Step{
					Prepare: losing,
					Action:  plancheck.ResourceActionCreate, After: acctest.Customer{ID: 11, Contact: 101},
					Writes: acctest.Times(c.calls, acctest.Customer{ID: 11, Contact: 101}),
				}),
				a.Step(t, acctest.Step{
					Prepare: losing,
					Action:  plancheck.ResourceActionUpdate, Before: acctest.Customer{ID: 11, Contact: 101}, After: acctest.Customer{ID: 11, Contact: 102, Company: 202},
					Writes: acctest.Times(c.calls, acctest.Customer{ID: 11, Contact: 102, Company: 202}),
				}),
				resource.TestStep{
					PreConfig: func() { a.ResetCalls(); losing() },
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

// The calls never reach the account, but no read proves that: the service may make a write later. The error names what the
// customer is latched to now.
func TestAccHubSpotLatchFaults_writesThatWereNotMade(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	var back func()
	declared := acctest.Customer{ID: 11, Contact: 101}
	acctest.Run(t,
		resource.TestStep{
			PreConfig: func() { back = a.Faults(fusebillsim.FaultStatus500Before, fusebillsim.RouteLatch, -1) },
			Config:    a.With(declared.Block()),
			ExpectError: acctest.Diagnosis("Outcome of the latch call is unknown", latchLine,
				"Could not create the HubSpot latch of customer 11 to contact 101: POST HubSpot/latchCustomer: 500 Internal Server Error: "+
					`"An unexpected error occurred`, "(the outcome is unknown); afterwards customer 11 was latched to nothing, "+
					"but Fusebill may still latch the customer to contact 101.",
				"Apply again"),
		},
		a.Step(t, acctest.Step{
			Prepare: func() { back() },
			// Not a replace: nothing is tainted, since a destroy would unlatch.
			Action: plancheck.ResourceActionCreate, After: declared, Writes: []acctest.Customer{declared},
		}),
	)
}

// The change is made, its answer is lost, and then the service stays away: nobody can say what holds.
func TestAccHubSpotLatchFaults_outcomeUnknown(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	first, second := acctest.Customer{ID: 11, Contact: 101}, acctest.Customer{ID: 11, Contact: 101, Company: 202}
	// While losing, writes are made and their answers are lost. From the first on the service is away.
	var losing, away atomic.Bool
	a.Inject(fusebillsim.Fault{
		Kind: fusebillsim.FaultDropAfter, Route: fusebillsim.RouteLatch, Times: -1,
		Match:    func(*http.Request) bool { return losing.Load() },
		OnAnswer: func(*http.Request) { away.Store(true) },
	})
	for _, route := range []fusebillsim.Route{fusebillsim.RouteCustomer, fusebillsim.RouteCustomers} {
		a.Inject(fusebillsim.Fault{
			Kind: fusebillsim.FaultDropBefore, Route: route, Times: -1,
			Match: func(*http.Request) bool { return away.Load() },
		})
	}
	lose := func() { losing.Store(true) }
	healed := func() { losing.Store(false); away.Store(false) }
	unknown := func(doing string) []string {
		return []string{
			"Could not " + doing + ": POST HubSpot/latchCustomer: ",
			"(the outcome is unknown); customer 11 could not be read afterwards", "GET customers/11: ",
			"Fusebill may have made this change. Apply again: the provider reads the customer first",
		}
	}
	acctest.Run(t,
		resource.TestStep{
			PreConfig: lose,
			Config:    a.With(first.Block()),
			ExpectError: acctest.Diagnosis("Outcome of the latch call is unknown", latchLine,
				unknown("create the HubSpot latch of customer 11 to contact 101")...),
		},
		// There is no state, and so nothing tainted; what is there is taken over.
		a.Step(t, acctest.Step{Prepare: healed, Action: plancheck.ResourceActionCreate, After: first}),
		resource.TestStep{
			PreConfig: lose,
			Config:    a.With(second.Block()),
			ExpectError: acctest.Diagnosis("Outcome of the latch call is unknown", latchLine,
				unknown("update the HubSpot latch of customer 11 to contact 101 and company 202")...),
		},
		// The refresh finds that it was done.
		a.Step(t, acctest.Step{Prepare: healed, Action: plancheck.ResourceActionNoop, Before: second, After: second}),
		resource.TestStep{
			PreConfig: lose,
			Config:    a.With(),
			ExpectError: acctest.Diagnosis("Outcome of the latch call is unknown", "",
				unknown("delete the HubSpot latch of customer 11")...),
		},
		resource.TestStep{
			PreConfig: func() { healed(); a.ResetCalls() },
			Config:    a.With(),
			PostApplyFunc: func() {
				a.Wrote(t)
				a.Holds(t, acctest.Customer{ID: 11})
			},
		},
	)
}

// The simulator answers with each ID's last bit flipped, and does what it was asked to.
func TestAccHubSpotLatchFaults_answerThatDiffersIsAnError(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	declared := acctest.Customer{ID: 11, Contact: 100, Company: 202}
	differ := func() { a.Faults(fusebillsim.FaultDifferentAnswer, fusebillsim.RouteLatch, 1) }
	acctest.Run(t,
		resource.TestStep{
			PreConfig: differ,
			Config:    a.With(declared.Block()),
			ExpectError: acctest.Diagnosis("Fusebill answered with another latch", latchLine,
				"Could not create the HubSpot latch of customer 11 to contact 100 and company 202: customer 11 was to be latched to "+
					"contact 100 and company 202, and Fusebill answered that the customer is latched to contact 101 and company 203.",
				"The next plan shows the current latch."),
		},
		a.Step(t, acctest.Step{Action: plancheck.ResourceActionCreate, After: declared}),
		resource.TestStep{
			PreConfig: differ,
			Config:    a.With(),
			ExpectError: acctest.Diagnosis("Fusebill answered with another latch", "",
				"Could not delete the HubSpot latch of customer 11: customer 11 was to be latched to nothing, and Fusebill answered "+
					"that the customer is latched to contact 1 and company 1."),
		},
	)
}

const connected = "exists in the HubSpot account that is connected to Fusebill, and that no other customer is latched to it."

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
			"Check that contact 404 " + connected + " To find that customer:",
		},
		"contact of two": {
			acctest.Customer{ID: 11, Contact: 404, Company: 202}, "HubSpot contact cannot be latched", "hubspot_id = 404",
			`"The was an error getting the contact from HubSpot: resource not found".`,
			"Check that contact 404 " + connected,
		},
		"company of two": {
			acctest.Customer{ID: 11, Contact: 101, Company: 405}, "HubSpot company cannot be latched", "hubspot_company_id = 405",
			`"The was an error getting the company from HubSpot: resource not found".`,
			"Check that company 405 " + connected + " To find that customer:",
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
			a.Wrote(t, c.declared) // A refusal isn't tried again.
			a.Holds(t, acctest.Customer{ID: 11})
		})
	}
}

// Where the account tells who holds what, a claim of something that isn't given up is refused before it's made. A service
// that moves latches silently would otherwise take it from the holder.
func TestAccHubSpotLatchFaults_claimOfWhatAnotherCustomerHolds(t *testing.T) {
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
				acctest.Customer{ID: 11, Contact: 102, Company: 202}, "HubSpot contact is latched to another customer", "hubspot_id = 102",
				"contact 102 is latched to customer 22.",
			},
			"company": {
				acctest.Customer{ID: 11, Contact: 101, Company: 203}, "HubSpot company is latched to another customer", "hubspot_company_id = 203",
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

// Where nobody knows who holds what, the service's own refusal decides, and its words are all there is to say. The holder is
// not among the ten oldest customers, which the provider reads in any case to know the account.
func TestAccHubSpotLatchFaults_conflictsInTheServicesOwnWords(t *testing.T) {
	t.Parallel()
	holder := acctest.Customer{ID: 22, Contact: 102, Company: 203}
	const (
		conflict = `409 Conflict: "the HubSpot `
		sorry    = `400 Bad Request: "An error occurred while updating the customer".`
	)
	for name, c := range map[string]struct {
		mode     fusebillsim.ConflictMode
		declared acctest.Customer
		summary  string
		line     string
		words    string
		next     string
	}{
		"contact, answered 409": {
			fusebillsim.ConflictStatus409, acctest.Customer{ID: 11, Contact: 102, Company: 202}, "HubSpot contact cannot be latched", "hubspot_id = 102",
			conflict + `contact is already latched to another customer".`, "Check that contact 102 " + connected,
		},
		"company, answered 409": {
			fusebillsim.ConflictStatus409, acctest.Customer{ID: 11, Contact: 101, Company: 203}, "HubSpot company cannot be latched", "hubspot_company_id = 203",
			conflict + `company is already latched to another customer".`, "Check that company 203 " + connected,
		},
		// This text doesn't say what it is about. Where only one ID is declared, it can be about no other.
		"contact, answered 400": {
			fusebillsim.ConflictStatus400, acctest.Customer{ID: 11, Contact: 102}, "HubSpot contact cannot be latched", "hubspot_id = 102", sorry,
			"Check that contact 102 " + connected,
		},
		"company, answered 400": {
			fusebillsim.ConflictStatus400, acctest.Customer{ID: 11, Company: 203}, "HubSpot company cannot be latched", "hubspot_company_id = 203", sorry,
			"Check that company 203 " + connected,
		},
		"one of two, answered 400": {
			fusebillsim.ConflictStatus400, acctest.Customer{ID: 11, Contact: 102, Company: 202}, "HubSpot contact or company cannot be latched", latchLine, sorry,
			"Check that contact 102 and company 202 exist in the HubSpot account that is connected to Fusebill, and that no other " +
				"customer is latched to either of them.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, append(acctest.NumberedSet(11, 0).Unlatched(), holder)...)
			a.Configure(func(b *fusebillsim.Behavior) { b.Conflict = c.mode })
			acctest.Run(t, acctest.Refused(a.Provider(`conflict_check = "never"`)+c.declared.Block(), acctest.Diagnosis(c.summary, c.line,
				"Could not create the HubSpot latch of customer 11 to "+c.declared.Latch().String()+": POST HubSpot/latchCustomer: "+c.words,
				c.next)))
			a.Holds(t, acctest.Customer{ID: 11}, holder)
		})
	}
}

// A refused change leaves state and account as they were, and doesn't stand in the way of the next one.
func TestAccHubSpotLatchFaults_refusedUpdateKeepsWhatWas(t *testing.T) {
	before, refusedChange := acctest.Customer{ID: 11, Contact: 101, Company: 202}, acctest.Customer{ID: 11, Contact: 404, Company: 202}
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	a.Configure(func(b *fusebillsim.Behavior) { b.UnknownContacts = map[int64]bool{404: true} })
	acctest.Run(t, a.Creates(t, before),
		acctest.Refused(a.With(refusedChange.Block()), acctest.Diagnosis("HubSpot contact cannot be latched", "hubspot_id = 404",
			"Could not update the HubSpot latch of customer 11 to contact 404 and company 202", "resource not found")),
		a.Step(t, acctest.Step{Action: plancheck.ResourceActionNoop, Before: before, After: before}),
	)
}

// Where the service moves a latch without a word, the account is what counts: the new holder's state is right at once,
// and the old holder's latch shows as drift.
func TestAccHubSpotLatchFaults_silentlyMovedLatch(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11}, acctest.Customer{ID: 22})
	a.Configure(func(b *fusebillsim.Behavior) { b.Conflict = fusebillsim.ConflictMoves })
	loser, winner := acctest.Customer{ID: 11, Contact: 101, Company: 202}, acctest.Customer{ID: 22, Contact: 101}
	acctest.Run(t, a.Creates(t, loser), resource.TestStep{
		PreConfig: func() { a.SetLatch(22, 101, 0) }, // as the service does it for another user's call
		Config:    a.With(loser.Block()),
		PlanOnly:  true, ExpectNonEmptyPlan: true,
		ConfigPlanChecks: resource.ConfigPlanChecks{
			PostApplyPostRefresh: acctest.Plans(plancheck.ResourceActionUpdate, acctest.Customer{ID: 11, Company: 202}, loser),
		},
	})
	a.Holds(t, winner)
}

func TestAccHubSpotLatchFaults_brokenReads(t *testing.T) {
	t.Parallel()
	const page = "<html> <head><title>Please wait</title></head> <body><h1>Proxy</h1></body> </html>"
	for _, c := range []struct {
		kind    fusebillsim.FaultKind
		summary string
		parts   []string
	}{
		{fusebillsim.FaultHTMLBody, "Fusebill's answer cannot be understood", []string{page, "A proxy may have answered instead of Fusebill. Check base_url"}},
		{fusebillsim.FaultHTML502, "Fusebill returned a server error", []string{"502 Bad Gateway, not in the API's form (text/html): " + page, "Run Terraform again later."}},
		{fusebillsim.FaultDropBefore, "Fusebill cannot be reached", []string{"EOF", "Check base_url, the network and any proxy"}},
		{fusebillsim.FaultRedirectHost, "Base URL redirects to another address", []string{
			"redirects to http://" + fusebillsim.RedirectHost, "the API key is only for the host of the base URL"}},
	} {
		t.Run(c.kind.String(), func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11})
			declared := acctest.Customer{ID: 11, Contact: 101}
			var back func()
			broken := func() { back = a.Faults(c.kind, "", -1) }
			acctest.Run(t,
				resource.TestStep{
					PreConfig: broken, Config: a.With(declared.Block()),
					ExpectError: acctest.Diagnosis(c.summary, latchLine, append([]string{"Could not create the HubSpot latch of customer 11 to contact 101"}, c.parts...)...),
				},
				// Nothing was written for want of a read, and nothing came into state.
				a.Step(t, acctest.Step{
					Prepare: func() { a.Wrote(t); back() },
					Action:  plancheck.ResourceActionCreate, After: declared, Writes: []acctest.Customer{declared},
				}),
				resource.TestStep{
					PreConfig: broken, Config: a.With(declared.Block()),
					ExpectError: acctest.Diagnosis(c.summary, latchLine, append([]string{"Could not read the HubSpot latch of customer 11"}, c.parts...)...),
				},
				// A read that failed doesn't take the latch out of state.
				a.Step(t, acctest.Step{
					Prepare: func() { back() },
					Action:  plancheck.ResourceActionNoop, Before: declared, After: declared,
				}),
			)
		})
	}
}

// keyOfAnotherAccount has the form of the service's keys.
var keyOfAnotherAccount = base64.StdEncoding.EncodeToString([]byte("0:" + strings.Repeat("another!", 8)))

func TestAccHubSpotLatchFaults_wrongKey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ key, words string }{
		"of another account": {keyOfAnotherAccount, `401 Unauthorized: "The API key is missing or wrong."`},
		"of another form":    {"d3Jvbmcta2V5", `400 Bad Request: "Authorization key is not in the correct format."`},
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.AccountWith(t, acctest.Customer{ID: 11})
			config := acctest.ProviderBlock(`api_key = "`+c.key+`"`, `base_url = "`+a.URL+`"`) + acctest.Customer{ID: 11, Contact: 101}.Block()
			acctest.Run(t, acctest.Refused(config, acctest.Diagnosis("Fusebill refused the API key", latchLine,
				"Could not plan the HubSpot latch of customer 11 to contact 101: ", c.words,
				"The provider sent the API key to "+a.URL, "Fusebill shows it under Settings > Integrations > API Key",
				"Set api_key in the provider block or FUSEBILL_API_KEY")))
			if n := a.Count(); n != 1 {
				t.Errorf("%d calls with a key that was refused, want 1: accounts get locked", n)
			}
		})
	}
}

func TestAccHubSpotLatchFaults_unreachableHost(t *testing.T) {
	config := acctest.ProviderBlock(`base_url = "`+acctest.NobodyURL+`/v1"`) + acctest.Customer{ID: 11, Contact: 101}.Block()
	acctest.Run(t, acctest.Refused(config, acctest.Diagnosis("Fusebill cannot be reached", latchLine,
		"Could not create the HubSpot latch of customer 11 to contact 101: ", "connection refused",
		"Check base_url, the network and any proxy, then run Terraform again.")))
}

// A call that is certain to fail isn't made: the day's quota doesn't come back within a run. So there is one call in each
// of the two processes that plan and apply.
func TestAccHubSpotLatchFaults_dayIsUsedUp(t *testing.T) {
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	a.Faults(fusebillsim.FaultRateLimitDay, "", -1)
	acctest.Run(t, acctest.Refused(a.With(acctest.Customer{ID: 11, Contact: 101}.Block()), acctest.Diagnosis("Fusebill's quota of API calls is used up", latchLine,
		"calls per day is used up until ", "API calls per day is exceeded.",
		"Run Terraform again when the quota is renewed.")))
	if n := a.Count(); n > 2 {
		t.Errorf("%d calls, want 2", n)
	}
}
