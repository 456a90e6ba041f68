package provider

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// diagnosticCase is an error in an operation, and the rule that explains it.
type diagnosticCase struct {
	rule    string
	name    string
	attempt attempt
	err     error
}

// diagnosticCases has at least one case for each rule.
func diagnosticCases(t *testing.T) []diagnosticCase {
	t.Helper()
	var (
		creating = attempt{doing: "create the HubSpot latch of", customerID: 11, declared: contactAndCompany(101, 0)}
		updating = attempt{doing: "update the HubSpot latch of", customerID: 11, declared: contactAndCompany(101, 202)}
		company  = attempt{doing: "update the HubSpot latch of", customerID: 11, declared: contactAndCompany(0, 202)}
		reading  = attempt{doing: "read the HubSpot latch of", customerID: 11}
		deleting = attempt{doing: "delete the HubSpot latch of", customerID: 11}
		listing  = attempt{doing: "list the customers"}
	)
	held := &latch.HeldError{CustomerID: 11, Held: []latch.Holding{{
		Claim: fusebill.Claim{Kind: fusebill.Contact, ID: 101}, Holder: 22,
	}}}
	return slices.Concat([]diagnosticCase{
		{"state_of_another_account", "a single latch", reading,
			&otherAccountError{fusebill.DefaultBaseURL, 11, "its oldest customers are not those that the state recorded"}},
		{"state_of_another_account", "a latch set", attempt{doing: "read the HubSpot latches"},
			&otherAccountError{fusebill.DefaultBaseURL, 11, "it has none of the customers of the state"}},
		{"state_of_another_account", "no customer of the state is known", listing,
			&otherAccountError{fusebill.DefaultBaseURL, 0, "it has no customers"}},
		{"account_unread", "an exclusive latch set", attempt{doing: "plan the exclusive HubSpot latches"},
			customers.ErrAccountUnread},
	}, latchCases(creating, updating, company, deleting), []diagnosticCase{
		{"outcome_unknown", "a create that is not confirmed", creating, &latch.UnconfirmedError{
			CustomerID: 11, Requested: contactAndCompany(101, 0), Others: []int64{22}, Err: unknownOutcome(errors.New("EOF")),
		}},
		{"outcome_unknown", "a create after which the customer could not be read", creating, &latch.UnconfirmedError{
			CustomerID: 11, Requested: contactAndCompany(101, 0),
			Err:     unknownOutcome(answer(500, "An unexpected error occurred.")),
			ReadErr: inGet(errors.New("EOF")),
		}},
		{"outcome_unknown", "a delete", deleting, unknownOutcome(errors.New("EOF"))},
		{"outcome_unknown", "an interrupted create", creating, unknownOutcome(context.Canceled)},
		{"outcome_unknown", "a create that then waited in vain", creating, fmt.Errorf("%w; %w",
			&latch.UnconfirmedError{
				CustomerID: 11, Requested: contactAndCompany(101, 0), Err: unknownOutcome(errors.New("EOF")),
			}, held)},
		{"quota_used_up", "of the day", reading, inGet(&fusebill.RateLimitError{
			Window: fusebill.Day, Limit: 5000, Reset: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
			Err: answer(429, "The limit of 5000 API calls per day is exceeded."),
		})},
		{"malformed_answer", "the page of a proxy", reading, inGet(&fusebill.MalformedAnswerError{
			ContentType: "text/html", Excerpt: "<html>Please wait</html>",
			Err: errors.New("invalid character '<' at start of value at byte 0"),
		})},
	}, statusCases(t, creating, updating, company, reading, listing), []diagnosticCase{
		{"timed_out", "a read", reading, inGet(&timedOutError{30 * time.Second})},
		{"timed_out", "a wait for a contact", creating, fmt.Errorf("%w (stopped waiting: %w)", held,
			&timedOutError{30 * time.Second})},
		{"interrupted", "a create", creating, inGet(context.Canceled)},
		{"redirect", "a read", reading, inGet(&fusebill.RedirectError{Target: "https://login.example.com/"})},
		{"certificate_not_trusted", "a read", reading,
			inGet(&tls.CertificateVerificationError{Err: errors.New("x509: certificate signed by unknown authority")})},
		{"unreachable", "no network", reading, inGet(errors.New("dial tcp 127.0.0.1:1: connect: connection refused"))},
		// Go's network timeouts pass for those of a context, which the timeouts block sets.
		{"unreachable", "the network timed out", reading,
			inGet(&net.OpError{Op: "dial", Net: "tcp", Err: context.DeadlineExceeded})},
	})
}

// latchCases are the errors of package latch.
func latchCases(creating, updating, company, deleting attempt) []diagnosticCase {
	held := func(reason latch.HeldReason, chain int, held ...latch.Holding) error {
		return &latch.HeldError{CustomerID: 11, Reason: reason, Chain: chain, Held: held}
	}
	contact101 := latch.Holding{Claim: fusebill.Claim{Kind: fusebill.Contact, ID: 101}, Holder: 22}
	company202 := latch.Holding{Claim: fusebill.Claim{Kind: fusebill.Company, ID: 202}, Holder: 33}
	return []diagnosticCase{
		{"already_latched", "to another contact", creating,
			&latch.AlreadyLatchedError{CustomerID: 11, Current: contactAndCompany(999, 0)}},
		{"already_latched", "to a contact and a company", creating,
			&latch.AlreadyLatchedError{CustomerID: 11, Current: contactAndCompany(101, 9007199254740993)}},
		{"changed_since_plan", "to a company", updating,
			&latch.ChangedError{CustomerID: 11, Planned: contactAndCompany(100, 0), Current: contactAndCompany(0, 888)}},
		{"customer_declared_twice", "by two resources", creating, &latch.DeclaredTwiceError{CustomerID: 11, Other: 11}},
		{"contact_declared_twice", "for two customers", updating,
			&latch.DeclaredTwiceError{CustomerID: 11, Claim: contact101.Claim, Other: 22}},
		{"company_declared_twice", "for two customers", updating,
			&latch.DeclaredTwiceError{CustomerID: 11, Claim: company202.Claim, Other: 22}},
		{"declared_and_removed", "by a resource and an action", creating, &latch.UnlatchConflictError{CustomerID: 11}},
		{"another_latch", "an action with IDs", attempt{doing: "unlatch", customerID: 11}, &latch.OtherLatchError{
			CustomerID: 11, Expected: contactAndCompany(101, 0), Current: contactAndCompany(0, 202),
		}},
		{"removed_elsewhere", "two objects of the state", creating, &latch.RemovedElsewhereError{CustomerID: 11}},
		{"not_in_exclusive_set", "a single latch beside an exclusive set", creating, &latch.ExclusiveError{CustomerID: 11}},
		{"two_exclusive_sets", "in one configuration", attempt{doing: "plan the HubSpot latches"},
			&latch.ExclusiveError{}},
		{"no_customer", "in the service's words", creating,
			&latch.NoCustomerError{CustomerID: 11, Err: inGet(answer(404, "Customer with id 11 was not found."))}},
		{"no_customer", "in lists", creating, &latch.NoCustomerError{CustomerID: 11}},
		{"not_restored", "after a refusal", updating, &latch.NotRestoredError{
			CustomerID: 11, Prior: contactAndCompany(100, 202), Current: contactAndCompany(0, 202),
			Cause: inPost(answer(409, "The contact is already latched.")), Err: inPost(errors.New("EOF")),
		}},
		{"not_restored", "of a holder that somebody else changed", creating, &latch.NotRestoredError{
			CustomerID: 22, Prior: contactAndCompany(101, 202), Current: contactAndCompany(999, 202),
			Cause: inPost(answer(400, "An error occurred while updating the customer.")),
			Err: &latch.ChangedError{
				CustomerID: 22, Planned: contactAndCompany(0, 202), Current: contactAndCompany(999, 202),
			},
		}},
		{"contact_held", "and the company, too", updating, held(latch.HolderUnchanged, 0, contact101, company202)},
		{"contact_held", "and the holder waits", creating, held(latch.HolderWaits, 10, contact101)},
		{"company_held", "by another customer of the same apply", company, held(latch.HolderKeeps, 0, company202)},
		{"unexpected_answer", "a merged contact", creating, &latch.UnexpectedAnswerError{
			CustomerID: 11, Requested: contactAndCompany(101, 0), Answered: contactAndCompany(100, 0),
		}},
		{"unexpected_answer", "a latch that was to be removed", deleting,
			&latch.UnexpectedAnswerError{CustomerID: 11, Answered: contactAndCompany(101, 0)}},
		{"call_refused", "a delete", deleting, inPost(answer(409, "The customer is on hold."))},
	}
}

// statusCases are refusals and failures that the service reports with an HTTP status.
func statusCases(t *testing.T, creating, updating, company, reading, listing attempt) []diagnosticCase {
	t.Helper()
	malformedKey := &fusebill.APIError{
		StatusCode: 400, Messages: []string{"Authorization key is not in the correct format."},
		BaseURL: "https://stg-secure.fusebill.com/v1",
	}
	refusedRead := &fusebill.APIError{StatusCode: 400, Messages: []string{"The contact is wrong."}, IsRead: true}
	return []diagnosticCase{
		{"server_error", "a read", reading, inGet(answer(500, "An unexpected error occurred."))},
		{"server_error", "a call that is about no single customer", listing,
			fmt.Errorf("GET customers: %w", answer(500, "An unexpected error occurred."))},
		{"key_refused", "an unknown key", reading, inGet(answer(401))},
		{"key_refused", "a malformed key, in a write", creating, inPost(malformedKey)},
		{"call_not_allowed", "a write", creating, inPost(answer(403, "No access to HubSpot."))},
		{"wrong_path", "a base URL without the version", listing, wrongPath(t)},
		{"not_from_fusebill", "a 404 without a body", reading, inGet(answer(404))},
		{"not_from_fusebill", "a 403 without a body", reading, inGet(answer(403))},
		{"customer_not_found", "a read", reading, inGet(answer(404, "Customer with id 11 was not found."))},
		{"contact_refused", "an unknown contact", creating,
			inPost(answer(400, "The was an error getting the contact from HubSpot: resource not found"))},
		{"company_refused", "a company of another customer", updating,
			inPost(answer(409, "The company is already latched."))},
		{"company_refused", "words about a contact where only a company is declared", company,
			inPost(answer(400, "No such contact"))},
		{"contact_or_company_refused", "words about both", updating,
			inPost(answer(400, "The contact doesn't belong to the company.", "Try another."))},
		{"call_refused", "for a reason that is not about HubSpot", creating,
			inPost(answer(415, "The request's Content-Type is not application/json."))},
		{"call_refused", "a read, which is never about HubSpot", creating, inGet(refusedRead)},
	}
}

func contactAndCompany(contact, company int64) fusebill.Latch {
	return fusebill.Latch{HubSpotID: contact, HubSpotCompanyID: company}
}

func inPost(err error) error { return fmt.Errorf("POST HubSpot/latchCustomer: %w", err) }

func inGet(err error) error { return fmt.Errorf("GET customers/11: %w", err) }

func answer(status int, words ...string) error {
	return &fusebill.APIError{StatusCode: status, Messages: words}
}

func unknownOutcome(err error) error { return &fusebill.OutcomeUnknownError{Err: inPost(err)} }

// wrongPath returns the error of a list call under a base URL that lacks the API's version.
func wrongPath(t *testing.T) error {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"Message":"No HTTP resource was found that matches the request URI."}`)
	}))
	t.Cleanup(server.Close)
	client, err := fusebill.NewClient("key", fusebill.WithBaseURL(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Customers(t.Context(), fusebill.CustomersRequest{})
	if apiErr, ok := errors.AsType[*fusebill.APIError](err); ok {
		apiErr.BaseURL = "https://secure.fusebill.com"
	}
	return err
}

// TestDiagnostics compares the messages of each rule with its golden file.
func TestDiagnostics(t *testing.T) {
	t.Parallel()
	messages := make(map[string][]string)
	for _, c := range diagnosticCases(t) {
		if got := c.attempt.rule(c.err).name; got != c.rule {
			t.Errorf("%s, %s: explained by the rule %s", c.rule, c.name, got)
		}
		messages[c.rule] = append(messages[c.rule], "# "+c.name+"\n\n"+shown(c.attempt.diagnostic(c.err)))
	}
	for _, rule := range append(diagnosticRules, unreachable) {
		if len(messages[rule.name]) == 0 {
			t.Errorf("%s: no case", rule.name)
			continue
		}
		isGolden(t, "diagnostics/"+rule.name, strings.TrimSpace(strings.Join(messages[rule.name], "\n")))
		delete(messages, rule.name)
	}
	for name := range messages {
		t.Errorf("%s: no such rule", name)
	}
	files, err := filepath.Glob("testdata/diagnostics/*")
	if err != nil || len(files) != len(diagnosticRules)+1 {
		t.Errorf("%d golden files for %d rules, and the error %v", len(files), len(diagnosticRules)+1, err)
	}
}

// TestDiagnostics_explainEveryError finds the exported error types of the packages below, and
// expects a case for each.
func TestDiagnostics_explainEveryError(t *testing.T) {
	t.Parallel()
	explained := map[string]bool{
		"fusebill.ProxyVariableError": true, // by the configuration of the provider, before any call
	}
	for _, c := range diagnosticCases(t) {
		for err := c.err; err != nil; err = errors.Unwrap(err) {
			if typeName := strings.TrimPrefix(reflect.TypeOf(err).String(), "*"); c.rule != unreachable.name {
				explained[typeName] = true
			}
		}
	}
	declaration := regexp.MustCompile(`(?m)^func \((?:\w+ )?\*?([A-Z]\w*)\) Error\(\) string`)
	found := 0
	for _, pkg := range []string{"fusebill", "latch"} {
		files, err := filepath.Glob("../" + pkg + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, match := range declaration.FindAllStringSubmatch(string(source), -1) {
				if found++; !explained[pkg+"."+match[1]] {
					t.Errorf("%s.%s: no case of a rule", pkg, match[1])
				}
			}
		}
	}
	if found < 15 {
		t.Errorf("found only %d error types", found)
	}
}

// shown is a diagnostic as a person reads it.
func shown(d diag.Diagnostic) string {
	text := "Error: " + d.Summary() + "\n"
	if at, ok := d.(diag.DiagnosticWithPath); ok {
		text += "on " + at.Path().String() + "\n"
	}
	return text + "\n" + d.Detail() + "\n"
}
