package contract

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// setting is one position of a switch of the simulator, and what the tests have to find there.
type setting struct {
	field string // of fusebillsim.Behavior
	value any    // nil: the default
	fact  fact
	want  string
}

var settings = []setting{
	{"MalformedKeyIs401", nil, malformedKeyStatus, "400"},
	{"MalformedKeyIs401", true, malformedKeyStatus, "401"},
	{"NotFoundAsMessage", nil, missingCustomer, "Errors"},
	{"NotFoundAsMessage", true, missingCustomer, "Message"},
	{"ListOmitsHubSpotKeys", nil, listKeys, "present"},
	{"ListOmitsHubSpotKeys", true, listKeys, "absent"},
	{"ResetFormat", nil, resetFormat, `"9999-99-99T99:99:99Z"`},
	{"ResetFormat", fusebillsim.ResetHTTPDate, resetFormat, `"Mon, 99 Jan 9999 99:99:99 GMT"`},
	{"ResetFormat", fusebillsim.ResetDotNet, resetFormat, `"99/99/9999 99:99:99"`},
	{"ResetFormat", fusebillsim.ResetDotNetAMPM, resetFormat, `"99/99/9999 99:99:99 AM"`},
	{"ResetFormat", fusebillsim.ResetDotNetOffset, resetFormat, `"99/99/9999 99:99:99 -99:99"`},
	{"ResetFormat", fusebillsim.ResetDotNetAMPMOffset, resetFormat, `"99/99/9999 99:99:99 AM -99:99"`},
	{"ResetFormat", fusebillsim.ResetUniversal, resetFormat, `"9999-99-99 99:99:99Z"`},
	{"ResetFormat", fusebillsim.ResetDateTime, resetFormat, `"9999-99-99 99:99:99"`},
	{"ResetFormat", fusebillsim.ResetEpoch, resetFormat, `"9999999999"`},
	{"ResetFormat", fusebillsim.ResetEpochMillis, resetFormat, `"9999999999999"`},
	{"ResetFormat", fusebillsim.ResetMalformed, resetFormat, `"next window"`},
	{"ResetFormat", fusebillsim.ResetAbsent, resetFormat, "absent"},
	{"RetryAfter", nil, retryAfter, "absent"},
	{"RetryAfter", true, retryAfter, "seconds"},
	{"RateLimitText", nil, "words for a 429", `"Api Error: The limit of N API calls per minute is exceeded." in Errors`},
	{"RateLimitText", "Try again until Monday.", "words for a 429", `"Api Error: Try again until Monday." in Errors`},
	{"Conflict", nil, conflict, "refused with 409"},
	{"Conflict", fusebillsim.ConflictStatus400, conflict, "refused with 400"},
	{"Conflict", fusebillsim.ConflictMoves, conflict, "taken from its holder"},
	{"LatchKeepsModified", nil, latchModifies, "changes"},
	{"LatchKeepsModified", true, latchModifies, "stays"},
	{"UpdateKeepsLatch", nil, updateLatch, "removed"},
	{"UpdateKeepsLatch", true, updateLatch, "kept"},
	{"Merged", nil, mergedContact, "answered with the old ID, then read with the old ID"},
	{"Merged", fusebillsim.MergedAnswersNewID, mergedContact, "answered with another ID, then read with another ID"},
	{"Merged", fusebillsim.MergedRefused, mergedContact, "refused with 400"},
	{"IDsAsStrings", nil, "IDs", "numbers"},
	{"IDsAsStrings", true, "IDs", "strings"},
	{"OmitNewerKeys", nil, "form of createdTimestamp", `"9999-99-99T99:99:99.9999999Z"`},
	{"OmitNewerKeys", true, "form of createdTimestamp", `""`},
	{"AbsoluteURIs", nil, "uri", `"/customers/N"`},
	{"AbsoluteURIs", true, "uri", `"https://secure.fusebill.com/vN/customers/N"`},
	{"OmitPageHeaders", nil, "page headers",
		"X-Count, X-MaxCount, X-CurrentPage, X-NextPage, X-PreviousPage, " +
			"X-PageSize, X-MaxPageIndex, X-SortOrder, X-SortExpression"},
	{"OmitPageHeaders", true, "page headers", ""},
	{"GzipMinSize", nil, "compression of a list", `"gzip"`},
	{"GzipMinSize", -1, "compression of a list", `""`},
}

// elsewhere are the switches of which nothing is reported, with the reason.
var elsewhere = map[string]string{
	"UnknownContacts":     "always set",
	"UnknownCompanies":    "as UnknownContacts",
	"IgnoreFilters":       "against the reference: the tests fail",
	"OmitRateHeaders":     "against the reference: the tests fail",
	"MaxPageSize":         "the reference promises 1,000, and an account may have fewer customers",
	"MaxURLLength":        "calls without end would search for the bound",
	"MaxIDSet":            "calls without end would search for the bound",
	"DateAhead":           "seen only against a clock that is right to the second",
	"Latency":             "no fact of the service",
	"AbandonedWriteDelay": "seen only where the network fails",
}

// The tests find out what each switch of the simulator is set to, in each of its positions.
func TestSwitches(t *testing.T) {
	t.Parallel()
	for _, s := range settings {
		t.Run(fmt.Sprintf("%s=%v", s.field, s.value), func(t *testing.T) {
			t.Parallel()
			a := simulated(t, func(b *fusebillsim.Behavior) {
				if s.value != nil {
					reflect.ValueOf(b).Elem().FieldByName(s.field).Set(reflect.ValueOf(s.value))
				}
			})
			a.check(t)
			if got := a.findings.values[s.fact]; got != s.want {
				t.Errorf("%s: %s, want %s", s.fact, got, s.want)
			}
		})
	}
}

// A new switch is reported, or has a reason not to be, and every unknown fact has switches.
func TestSwitchesAreComplete(t *testing.T) {
	t.Parallel()
	for field := range reflect.TypeFor[fusebillsim.Behavior]().Fields() {
		positions := 0
		for _, s := range settings {
			if s.field == field.Name {
				positions++
			}
		}
		if _, ok := elsewhere[field.Name]; ok == (positions > 0) || positions == 1 {
			t.Errorf("%s: %d positions are tested, and there is a reason for none: %v", field.Name, positions, ok)
		}
	}
	for _, unknown := range newFindings().facts {
		if !slices.ContainsFunc(settings, func(s setting) bool { return s.fact == unknown && s.value != nil }) {
			t.Errorf("no switch changes %q", unknown)
		}
	}
}

// Without settings that permit more, nothing is written and no minute is used up.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	sim := fusebillsim.New(fusebillsim.Config{})
	sim.SetLatch(sim.AddSampleCustomers(3)[0], 101, 0)
	a := &account{baseURL: "https://fusebill.test/v1", key: fusebillsim.DefaultAPIKey}
	a.open(t, sim.Transport())
	a.check(t)
	for route, calls := range sim.Calls() {
		if !strings.HasPrefix(string(route), "GET ") && route != fusebillsim.RouteUnknown {
			t.Errorf("%d calls of %s", calls, route)
		}
	}
	if sim.Count() > 30 {
		t.Errorf("%d calls", sim.Count())
	}
	for _, name := range []fact{retryAfter, conflict, latchModifies, updateLatch, mergedContact} {
		if got := a.findings.values[name]; !strings.HasPrefix(got, notTried+": it needs FUSEBILL_CONTRACT_") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	simulator, found := newFindings(), newFindings()
	simulator.add(malformedKeyStatus, "400")
	simulator.add(resetFormat, "A")
	found.add(malformedKeyStatus, "400")
	found.add(resetFormat, "B|C")
	found.add("more", "D")
	report := found.report(simulator)
	for _, line := range []string{
		"| fact | this account | simulator |\n|---|---|---|\n",
		"| status for a malformed key | 400 | the same |\n",
		"| form of X-Rate-Limit-Reset | B\\|C | A |\n",
		"| modifiedTimestamp when a latch changes | not tried: it needs FUSEBILL_CONTRACT_CUSTOMER | the same |\n",
		"| more | D |  |\n",
	} {
		if !strings.Contains(report, line) {
			t.Errorf("%s\nlacks %s", report, line)
		}
	}
}
