package provider

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The promises tested here: a lost answer isn't a lost write, and isn't a second one that matters; when the outcome can't
// be found out, the error says so, nothing is tainted, and the next apply converges; what the service refuses is told in
// its own words on the attribute at fault; an answer that differs from the request is an error.
//
// The interrupted run is in cli_test.go, timeouts are in resource_hubspot_latch_test.go and protocol_test.go, every
// error's full text is in diagnostics_test.go.

// faults injects what is answered to calls of a route until the function that it returns is called.
func (a account) faults(kind fusebillsim.FaultKind, route fusebillsim.Route, times int) (remove func()) {
	return a.Inject(fusebillsim.Fault{Kind: kind, Route: route, Times: times})
}

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
		{fusebillsim.FaultDropAfter, -1, triesOfACall},
		{fusebillsim.FaultStatus500After, -1, triesOfACall},
		{fusebillsim.FaultTruncatedBody, -1, triesOfACall},
		{fusebillsim.FaultHTMLBody, -1, triesOfACall}, // a proxy's page, and the call was made all the same
	} {
		t.Run(fmt.Sprintf("%s in %d calls", c.kind, c.calls), func(t *testing.T) {
			a := accountWith(t, held{11, 0, 0})
			losing := func() { a.faults(c.kind, fusebillsim.RouteLatch, c.lost) }
			run(t,
				a.step(t, step{
					prepare: losing,
					action:  plancheck.ResourceActionCreate, after: held{11, 101, 0},
					writes: times(c.calls, held{11, 101, 0}),
				}),
				a.step(t, step{
					prepare: losing,
					action:  plancheck.ResourceActionUpdate, before: held{11, 101, 0}, after: held{11, 102, 202},
					writes: times(c.calls, held{11, 102, 202}),
				}),
				resource.TestStep{
					PreConfig: func() { a.ResetCalls(); losing() },
					Config:    a.with(),
					PostApplyFunc: func() {
						a.wrote(t, times(c.calls, held{11, 0, 0})...)
						a.holds(t, held{11, 0, 0})
					},
				},
			)
		})
	}
}

// The calls never reach the account. Once it's sure that nothing was changed, the error says so.
func TestAccHubSpotLatchFaults_writesThatWereNotMade(t *testing.T) {
	a := accountWith(t, held{11, 0, 0})
	var back func()
	declared := held{11, 101, 0}
	run(t,
		resource.TestStep{
			PreConfig: func() { back = a.faults(fusebillsim.FaultStatus500Before, fusebillsim.RouteLatch, -1) },
			Config:    a.with(declared.block()),
			ExpectError: diagnosis("HubSpot latch was not changed", latchLine,
				"Could not create the HubSpot latch of customer 11 (contact 101): POST HubSpot/latchCustomer: 500 Internal Server Error: "+
					"An unexpected error occurred; read afterwards, customer 11 is latched to nothing.",
				"Apply again."),
		},
		a.step(t, step{
			prepare: func() { back() },
			// Not a replace: nothing is tainted, since a destroy would unlatch.
			action: plancheck.ResourceActionCreate, after: declared, writes: []held{declared},
		}),
	)
}

// The change is made, its answer is lost, and then the service stays away: nobody can say what holds.
func TestAccHubSpotLatchFaults_outcomeUnknown(t *testing.T) {
	a := accountWith(t, held{11, 0, 0})
	first, second := held{11, 101, 0}, held{11, 101, 202}
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
			"(whether it was done is unknown).",
			"The change may have been made all the same. Apply again: the customer is read first",
		}
	}
	run(t,
		resource.TestStep{
			PreConfig: lose,
			Config:    a.with(first.block()),
			ExpectError: diagnosis("Outcome of the latch call is unknown", latchLine,
				unknown("create the HubSpot latch of customer 11 (contact 101)")...),
		},
		// There is no state, and so nothing tainted; what is there is taken over.
		a.step(t, step{prepare: healed, action: plancheck.ResourceActionCreate, after: first}),
		resource.TestStep{
			PreConfig: lose,
			Config:    a.with(second.block()),
			ExpectError: diagnosis("Outcome of the latch call is unknown", latchLine,
				unknown("update the HubSpot latch of customer 11 (contact 101 and company 202)")...),
		},
		// The refresh finds that it was done.
		a.step(t, step{prepare: healed, action: plancheck.ResourceActionNoop, before: second, after: second}),
		resource.TestStep{
			PreConfig: lose,
			Config:    a.with(),
			ExpectError: diagnosis("Outcome of the latch call is unknown", "",
				unknown("delete the HubSpot latch of customer 11")...),
		},
		resource.TestStep{
			PreConfig: func() { healed(); a.ResetCalls() },
			Config:    a.with(),
			PostApplyFunc: func() {
				a.wrote(t)
				a.holds(t, held{11, 0, 0})
			},
		},
	)
}

// The simulator answers with each ID's last bit flipped, and does what it was asked to.
func TestAccHubSpotLatchFaults_answerThatDiffersIsAnError(t *testing.T) {
	a := accountWith(t, held{11, 0, 0})
	declared := held{11, 100, 202}
	differ := func() { a.faults(fusebillsim.FaultDifferentAnswer, fusebillsim.RouteLatch, 1) }
	run(t,
		resource.TestStep{
			PreConfig: differ,
			Config:    a.with(declared.block()),
			ExpectError: diagnosis("Fusebill latched something else than was asked for", latchLine,
				"Could not create the HubSpot latch of customer 11 (contact 100 and company 202): customer 11 was to be latched to "+
					"contact 100 and company 202, and the API answered that it is latched to contact 101 and company 203.",
				"the next plan shows what holds"),
		},
		a.step(t, step{action: plancheck.ResourceActionCreate, after: declared}),
		resource.TestStep{
			PreConfig: differ,
			Config:    a.with(),
			ExpectError: diagnosis("Fusebill latched something else than was asked for", "",
				"Could not delete the HubSpot latch of customer 11: customer 11 was to be latched to nothing, and the API answered "+
					"that it is latched to contact 1 and company 1."),
		},
	)
}

const connected = "exists in the HubSpot account that Fusebill is connected to, and that no other customer is latched to it: "

func TestAccHubSpotLatchFaults_unknownContactOrCompany(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		declared held
		summary  string
		line     string
		words    string
		next     string
	}{
		"contact": {
			held{11, 404, 0}, "HubSpot contact can't be latched", "hubspot_id = 404",
			"The was an error getting the contact from HubSpot: resource not found.",
			"Check that contact 404 " + connected + "only one customer may hold a contact.",
		},
		"contact of two": {
			held{11, 404, 202}, "HubSpot contact can't be latched", "hubspot_id = 404",
			"The was an error getting the contact from HubSpot: resource not found.",
			"Check that contact 404 " + connected,
		},
		"company of two": {
			held{11, 101, 405}, "HubSpot company can't be latched", "hubspot_company_id = 405",
			"The was an error getting the company from HubSpot: resource not found.",
			"Check that company 405 " + connected + "only one customer may hold a company.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := accountWith(t, held{11, 0, 0})
			a.Configure(func(b *fusebillsim.Behavior) {
				b.UnknownContacts = map[int64]bool{404: true}
				b.UnknownCompanies = map[int64]bool{405: true}
			})
			run(t, refused(a.with(c.declared.block()), diagnosis(c.summary, c.line,
				"Could not create the HubSpot latch of customer 11 ("+c.declared.latch().String()+"): "+
					"POST HubSpot/latchCustomer: 400 Bad Request: "+c.words, c.next)))
			a.wrote(t, c.declared) // A refusal isn't tried again.
			a.holds(t, held{11, 0, 0})
		})
	}
}

// Where the account tells who holds what, a claim of something that isn't given up is refused before it's made. A service
// that moves latches silently would otherwise take it from the holder.
func TestAccHubSpotLatchFaults_claimOfWhatAnotherCustomerHolds(t *testing.T) {
	t.Parallel()
	holder := held{22, 102, 203}
	for _, mode := range []fusebillsim.ConflictMode{
		fusebillsim.ConflictStatus409, fusebillsim.ConflictStatus400, fusebillsim.ConflictMoves,
	} {
		for name, c := range map[string]struct {
			declared held
			summary  string
			line     string
			words    string
		}{
			"contact": {
				held{11, 102, 202}, "HubSpot contact is latched to another customer", "hubspot_id = 102",
				"contact 102 is latched to customer 22.",
			},
			"company": {
				held{11, 101, 203}, "HubSpot company is latched to another customer", "hubspot_company_id = 203",
				"company 203 is latched to customer 22.",
			},
		} {
			t.Run(fmt.Sprintf("%s in mode %d", name, mode), func(t *testing.T) {
				a := accountWith(t, held{11, 0, 0}, holder)
				a.Configure(func(b *fusebillsim.Behavior) { b.Conflict = mode })
				run(t, refused(a.with(c.declared.block()), diagnosis(c.summary, c.line,
					"Could not create the HubSpot latch of customer 11 ("+c.declared.latch().String()+"): "+c.words,
					"Nothing was changed.", "set allow_reassociation = true")))
				a.wrote(t)
				a.holds(t, held{11, 0, 0}, holder)
			})
		}
	}
}

// Where nobody knows who holds what, the service's own refusal decides, and its words are all there is to say.
func TestAccHubSpotLatchFaults_conflictsInTheServicesOwnWords(t *testing.T) {
	t.Parallel()
	holder := held{22, 102, 203}
	const (
		conflict = "409 Conflict: the HubSpot "
		sorry    = "400 Bad Request: An error occurred while updating the customer."
	)
	for name, c := range map[string]struct {
		mode     fusebillsim.ConflictMode
		declared held
		summary  string
		line     string
		words    string
		next     string
	}{
		"contact, answered 409": {
			fusebillsim.ConflictStatus409, held{11, 102, 202}, "HubSpot contact can't be latched", "hubspot_id = 102",
			conflict + "contact is already latched to another customer.", "Check that contact 102 " + connected,
		},
		"company, answered 409": {
			fusebillsim.ConflictStatus409, held{11, 101, 203}, "HubSpot company can't be latched", "hubspot_company_id = 203",
			conflict + "company is already latched to another customer.", "Check that company 203 " + connected,
		},
		// This text doesn't say what it is about. Where only one ID is declared, it can be about no other.
		"contact, answered 400": {
			fusebillsim.ConflictStatus400, held{11, 102, 0}, "HubSpot contact can't be latched", "hubspot_id = 102", sorry,
			"Check that contact 102 " + connected,
		},
		"company, answered 400": {
			fusebillsim.ConflictStatus400, held{11, 0, 203}, "HubSpot company can't be latched", "hubspot_company_id = 203", sorry,
			"Check that company 203 " + connected,
		},
		"one of two, answered 400": {
			fusebillsim.ConflictStatus400, held{11, 102, 202}, "HubSpot contact or company can't be latched", latchLine, sorry,
			"Check that contact 102 and company 202 exist in the HubSpot account that Fusebill is connected to, and that no other " +
				"customer is latched to either: only one customer may hold a contact or a company.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := accountWith(t, held{11, 0, 0}, holder)
			a.Configure(func(b *fusebillsim.Behavior) { b.Conflict = c.mode })
			run(t, refused(a.provider(`conflict_check = "never"`)+c.declared.block(), diagnosis(c.summary, c.line,
				"Could not create the HubSpot latch of customer 11 ("+c.declared.latch().String()+"): POST HubSpot/latchCustomer: "+c.words,
				c.next)))
			a.holds(t, held{11, 0, 0}, holder)
		})
	}
}

// A refused change leaves state and account as they were, and doesn't stand in the way of the next one.
func TestAccHubSpotLatchFaults_refusedUpdateKeepsWhatWas(t *testing.T) {
	before, refusedChange := held{11, 101, 202}, held{11, 404, 202}
	a := accountWith(t, held{11, 0, 0})
	a.Configure(func(b *fusebillsim.Behavior) { b.UnknownContacts = map[int64]bool{404: true} })
	run(t, a.creates(t, before),
		refused(a.with(refusedChange.block()), diagnosis("HubSpot contact can't be latched", "hubspot_id = 404",
			"Could not update the HubSpot latch of customer 11 (contact 404 and company 202)", "resource not found")),
		a.step(t, step{action: plancheck.ResourceActionNoop, before: before, after: before}),
	)
}

// Where the service moves a latch without a word, the account is what counts: the new holder's state is right at once,
// and the old holder's latch shows as drift.
func TestAccHubSpotLatchFaults_silentlyMovedLatch(t *testing.T) {
	a := accountWith(t, held{11, 0, 0}, held{22, 0, 0})
	a.Configure(func(b *fusebillsim.Behavior) { b.Conflict = fusebillsim.ConflictMoves })
	loser, winner := held{11, 101, 202}, held{22, 101, 0}
	run(t, a.creates(t, loser), resource.TestStep{
		PreConfig: func() { a.SetLatch(22, 101, 0) }, // as the service does it for another user's call
		Config:    a.with(loser.block()),
		PlanOnly:  true, ExpectNonEmptyPlan: true,
		ConfigPlanChecks: resource.ConfigPlanChecks{
			PostApplyPostRefresh: plans(plancheck.ResourceActionUpdate, held{11, 0, 202}, loser),
		},
	})
	a.holds(t, winner)
}

func TestAccHubSpotLatchFaults_brokenReads(t *testing.T) {
	t.Parallel()
	const page = "<html> <head><title>Please wait</title></head> <body><h1>Proxy</h1></body> </html>"
	for _, c := range []struct {
		kind    fusebillsim.FaultKind
		summary string
		parts   []string
	}{
		{fusebillsim.FaultHTMLBody, "Fusebill's answer can't be understood", []string{page, "A proxy may have answered in its place: check base_url"}},
		{fusebillsim.FaultHTML502, "Fusebill had a fault", []string{"502 Bad Gateway, not in the API's form (text/html): " + page, "Run again later."}},
		{fusebillsim.FaultDropBefore, "Fusebill can't be reached", []string{"EOF", "Check base_url, the network and any proxy"}},
		{fusebillsim.FaultRedirectHost, "Fusebill's address redirects elsewhere", []string{
			"redirects to http://" + fusebillsim.RedirectHost, "the API key stays with the host that it was given for"}},
	} {
		t.Run(c.kind.String(), func(t *testing.T) {
			a := accountWith(t, held{11, 0, 0})
			declared := held{11, 101, 0}
			var back func()
			broken := func() { back = a.faults(c.kind, "", -1) }
			run(t,
				resource.TestStep{
					PreConfig: broken, Config: a.with(declared.block()),
					ExpectError: diagnosis(c.summary, latchLine, append([]string{"Could not create the HubSpot latch of customer 11 (contact 101)"}, c.parts...)...),
				},
				// Nothing was written for want of a read, and nothing came into state.
				a.step(t, step{
					prepare: func() { a.wrote(t); back() },
					action:  plancheck.ResourceActionCreate, after: declared, writes: []held{declared},
				}),
				resource.TestStep{
					PreConfig: broken, Config: a.with(declared.block()),
					ExpectError: diagnosis(c.summary, latchLine, append([]string{"Could not read the HubSpot latch of customer 11"}, c.parts...)...),
				},
				// A read that failed doesn't take the latch out of state.
				a.step(t, step{
					prepare: func() { back() },
					action:  plancheck.ResourceActionNoop, before: declared, after: declared,
				}),
			)
		})
	}
}

func TestAccHubSpotLatchFaults_wrongKey(t *testing.T) {
	a := accountWith(t, held{11, 0, 0})
	config := providerBlock(`api_key = "d3Jvbmcta2V5"`, `base_url = "`+a.url+`"`) + held{11, 101, 0}.block()
	run(t, refused(config, diagnosis("Fusebill refused the API key", latchLine,
		"Could not plan the HubSpot latch of customer 11 (contact 101): ", "401 Unauthorized: The API key is missing or wrong.",
		"Check api_key in the provider block or FUSEBILL_API_KEY", "a sandbox key doesn't open the live account")))
	if n := a.Count(); n != 1 {
		t.Errorf("%d calls with a key that was refused, want 1: accounts get locked", n)
	}
}

// nobodyURL is where nobody listens. A server that was closed isn't: another test may get its port.
const nobodyURL = "http://127.0.0.1:1"

func TestAccHubSpotLatchFaults_unreachableHost(t *testing.T) {
	config := providerBlock(`base_url = "`+nobodyURL+`/v1"`) + held{11, 101, 0}.block()
	run(t, refused(config, diagnosis("Fusebill can't be reached", latchLine,
		"Could not create the HubSpot latch of customer 11 (contact 101): ", "connection refused",
		"Check base_url, the network and any proxy, then run again.")))
}

// A call that is certain to fail isn't made: the day's quota doesn't come back within a run. So there is one call in each
// of the two processes that plan and apply.
func TestAccHubSpotLatchFaults_dayIsUsedUp(t *testing.T) {
	a := accountWith(t, held{11, 0, 0})
	a.faults(fusebillsim.FaultRateLimitDay, "", -1)
	run(t, refused(a.with(held{11, 101, 0}.block()), diagnosis("Fusebill's rate limit is used up", latchLine,
		"calls per day is used up, until ", "API calls per day is exceeded.",
		"Run again once it is renewed.")))
	if n := a.Count(); n > 2 {
		t.Errorf("%d calls, want 2", n)
	}
}
