package provider

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// The promise tested here: every error that can come up is told to the person at the keyboard as what was attempted for
// which customer, the API's words verbatim, and what to do next. The texts stand here in full, to be read as they are
// shown. "on" is the attribute that an error points at.

func TestAttempt_diagnostic(t *testing.T) {
	t.Parallel()
	var (
		creating = attempt{doing: "create the HubSpot latch of", customerID: 11, declared: fusebill.Latch{HubSpotID: 101}}
		latching = attempt{doing: "update the HubSpot latch of", customerID: 11, declared: fusebill.Latch{HubSpotID: 101, HubSpotCompanyID: 202}}
		company  = attempt{doing: "update the HubSpot latch of", customerID: 11, declared: fusebill.Latch{HubSpotCompanyID: 202}}
		reading  = attempt{doing: "read the HubSpot latch of", customerID: 11}
		deleting = attempt{doing: "delete the HubSpot latch of", customerID: 11}
	)
	post := func(err error) error { return fmt.Errorf("POST HubSpot/latchCustomer: %w", err) }
	get := func(err error) error { return fmt.Errorf("GET customers/11: %w", err) }
	said := func(status int, words ...string) error {
		return &fusebill.APIError{StatusCode: status, Messages: words}
	}
	unknown := func(err error) error { return &fusebill.OutcomeUnknownError{Err: post(err)} }

	for _, test := range []struct {
		name    string
		attempt attempt
		err     error
		want    string
	}{
		{
			"nobody knows which customer", attempt{doing: "list the customers"},
			fmt.Errorf("GET customers: %w", said(500, "An unexpected error occurred.")), `
Error: Fusebill had a fault

Could not list the customers: GET customers: 500 Internal Server Error: An unexpected error occurred.

It didn't go away within the tries that max_retries allows. Run again later.
`,
		},
		{
			"the customer is latched and unlatched", creating, &latch.UnlatchConflictError{CustomerID: 11}, `
Error: HubSpot latch is both declared and removed
on fusebill_id

Could not create the HubSpot latch of customer 11 (contact 101): the same run latches customer 11 by a resource and unlatches it by an action.

Nothing was changed. Leave one of them out. A latch that a resource manages is removed by removing the resource.
`,
		},
		{
			"the customer isn't latched to what is to be removed", attempt{doing: "unlatch", customerID: 11},
			&latch.OtherLatchError{CustomerID: 11, Expected: fusebill.Latch{HubSpotID: 101}, Current: fusebill.Latch{HubSpotCompanyID: 202}}, `
Error: Customer is latched to something else

Could not unlatch customer 11: customer 11 is latched to company 202, and not to contact 101.

Nothing was changed. To remove this latch, set hubspot_id and hubspot_company_id to what it holds, or leave both out.
`,
		},
		{
			"the customer has another contact", creating,
			&latch.AlreadyLatchedError{CustomerID: 11, Current: fusebill.Latch{HubSpotID: 999}}, `
Error: Customer is latched already
on fusebill_id

Could not create the HubSpot latch of customer 11 (contact 101): customer 11 is latched to contact 999 already.

Nothing was changed. To take this latch over as it is, import it:

  import {
    to = fusebill_hubspot_latch.example
    id = "11"
  }

and declare what it holds:

  hubspot_id = 999

To replace it, set allow_reassociation = true. A resource with create_before_destroy whose customer stays the same needs that, too.
`,
		},
		{
			"the customer has both already", creating,
			&latch.AlreadyLatchedError{CustomerID: 11, Current: fusebill.Latch{HubSpotID: 101, HubSpotCompanyID: 9007199254740993}}, `
Error: Customer is latched already
on fusebill_id

Could not create the HubSpot latch of customer 11 (contact 101): customer 11 is latched to contact 101 and company 9007199254740993 already.

Nothing was changed. To take this latch over as it is, import it:

  import {
    to = fusebill_hubspot_latch.example
    id = "11"
  }

and declare what it holds:

  hubspot_id         = 101
  hubspot_company_id = 9007199254740993

To replace it, set allow_reassociation = true. A resource with create_before_destroy whose customer stays the same needs that, too.
`,
		},
		{
			"changed since the plan", latching,
			&latch.ChangedError{CustomerID: 11, Planned: fusebill.Latch{HubSpotID: 100}, Current: fusebill.Latch{HubSpotCompanyID: 888}}, `
Error: HubSpot latch changed since the plan was made

Could not update the HubSpot latch of customer 11 (contact 101 and company 202): customer 11 is latched to company 888, and no longer to contact 100 as when the plan was made.

Nothing was changed. Plan again, and review what the new plan shows.
`,
		},
		{
			"the customer is declared twice", creating, &latch.DeclaredTwiceError{CustomerID: 11, Other: 11}, `
Error: HubSpot latch is declared twice
on fusebill_id

Could not create the HubSpot latch of customer 11 (contact 101): customer 11 is also declared elsewhere in this configuration.

Only one customer may hold a contact or a company, and only one resource may latch a customer. Remove it from one of the two.

To destroy all the same, skip the plan before it:

  terraform destroy -refresh=false
`,
		},
		{
			"a company is declared twice", latching,
			&latch.DeclaredTwiceError{CustomerID: 11, Claim: fusebill.Claim{Kind: fusebill.Company, ID: 202}, Other: 22}, `
Error: HubSpot latch is declared twice
on hubspot_company_id

Could not update the HubSpot latch of customer 11 (contact 101 and company 202): company 202 is also declared elsewhere in this configuration, for customer 22.

Only one customer may hold a contact or a company, and only one resource may latch a customer. Remove it from one of the two.

To destroy all the same, skip the plan before it:

  terraform destroy -refresh=false
`,
		},
		{
			"others hold both", latching,
			&latch.HeldError{CustomerID: 11, Held: []latch.Holding{
				{Claim: fusebill.Claim{Kind: fusebill.Contact, ID: 101}, Holder: 22}, {Claim: fusebill.Claim{Kind: fusebill.Company, ID: 202}, Holder: 33},
			}}, `
Error: HubSpot contact is latched to another customer
on hubspot_id

Could not update the HubSpot latch of customer 11 (contact 101 and company 202): contact 101 is latched to customer 22, and company 202 is latched to customer 33.

Nothing was changed. Where the holder's latch is wrong, remove or change it first. To take contact 101 from customer 22 and company 202 from customer 33, set allow_reassociation = true; the holder keeps its other ID.

Where this apply was to release it, its change did not begin in time. Possible reasons: -parallelism is below the number of latches that wait for each other; depends_on or a reference orders the two changes the other way round; create_before_destroy keeps the old latch until the new one exists, which needs allow_reassociation = true; the holder depends on something slow, which a timeouts block allows for.
`,
		},
		{
			"another customer of the same apply holds it", company,
			&latch.HeldError{CustomerID: 11, Reason: latch.HolderKeeps, Held: []latch.Holding{{Claim: fusebill.Claim{Kind: fusebill.Company, ID: 202}, Holder: 22}}}, `
Error: HubSpot company is latched to another customer
on hubspot_company_id

Could not update the HubSpot latch of customer 11 (company 202): company 202 is latched to customer 22.

That customer's latch is part of the same apply and keeps this, or failed to release it: look for another error above or below, and apply again once it is solved.
`,
		},
		{
			"what was given up couldn't be put back", latching,
			&latch.NotRestoredError{
				CustomerID: 11, Prior: fusebill.Latch{HubSpotID: 100, HubSpotCompanyID: 202}, Current: fusebill.Latch{HubSpotCompanyID: 202},
				Cause: post(said(409, "The contact is already latched.")), Err: post(errors.New("EOF")),
			}, `
Error: HubSpot latch was lost on the way

Could not update the HubSpot latch of customer 11 (contact 101 and company 202): POST HubSpot/latchCustomer: 409 Conflict: The contact is already latched.; customer 11 had released contact 100 for the change, which could not be restored (POST HubSpot/latchCustomer: EOF): it is latched to company 202 now.

Apply again: the plan starts from what holds now. Check the customer in Fusebill if that fails too.
`,
		},
		{
			"another answer", creating,
			&latch.UnexpectedAnswerError{CustomerID: 11, Requested: fusebill.Latch{HubSpotID: 101}, Answered: fusebill.Latch{HubSpotID: 100}}, `
Error: Fusebill answered with another latch

Could not create the HubSpot latch of customer 11 (contact 101): customer 11 was to be latched to contact 101, and the API answered that it is latched to contact 100.

HubSpot gives merged contacts and companies a new ID. If the declared one was merged, declare the ID that Fusebill answered with:

  hubspot_id = 100

Otherwise compare the customer in Fusebill and HubSpot. The next plan shows the current latch.
`,
		},
		{
			"a write that is not confirmed", creating,
			&latch.UnconfirmedError{
				CustomerID: 11, Requested: fusebill.Latch{HubSpotID: 101}, Others: []int64{22}, Err: unknown(errors.New("EOF")),
			}, `
Error: Outcome of the latch call is unknown

Could not create the HubSpot latch of customer 11 (contact 101): POST HubSpot/latchCustomer: EOF (whether it was done is unknown); read afterwards, customer 11 is latched to nothing, and the service may still latch it to contact 101, which customer 22 would lose.

The change may have been made all the same. Apply again: the customer is read first, and where the change was made it isn't made twice.
`,
		},
		{
			"a write of which nobody knows", deleting, unknown(errors.New("EOF")), `
Error: Outcome of the latch call is unknown

Could not delete the HubSpot latch of customer 11: POST HubSpot/latchCustomer: EOF (whether it was done is unknown).

The change may have been made all the same. Apply again: the customer is read first, and where the change was made it isn't made twice.
`,
		},
		{
			"an interrupted write of which nobody knows", creating, unknown(context.Canceled), `
Error: Outcome of the latch call is unknown

Could not create the HubSpot latch of customer 11 (contact 101): POST HubSpot/latchCustomer: context canceled (whether it was done is unknown).

The change may have been made all the same. Apply again: the customer is read first, and where the change was made it isn't made twice.
`,
		},
		{
			"unknown contact", creating, post(said(400, "The was an error getting the contact from HubSpot: resource not found")), `
Error: HubSpot contact can't be latched
on hubspot_id

Could not create the HubSpot latch of customer 11 (contact 101): POST HubSpot/latchCustomer: 400 Bad Request: The was an error getting the contact from HubSpot: resource not found.

Check that contact 101 exists in the HubSpot account that Fusebill is connected to, and that no other customer is latched to it: only one customer may hold a contact.
`,
		},
		{
			"company of another customer", latching, post(said(409, "The company is already latched.")), `
Error: HubSpot company can't be latched
on hubspot_company_id

Could not update the HubSpot latch of customer 11 (contact 101 and company 202): POST HubSpot/latchCustomer: 409 Conflict: The company is already latched.

Check that company 202 exists in the HubSpot account that Fusebill is connected to, and that no other customer is latched to it: only one customer may hold a company.
`,
		},
		{
			"words about both", latching, post(said(400, "The contact doesn't belong to the company.", "Try another.")), `
Error: HubSpot contact or company can't be latched

Could not update the HubSpot latch of customer 11 (contact 101 and company 202): POST HubSpot/latchCustomer: 400 Bad Request: The contact doesn't belong to the company.; Try another.

Check that contact 101 and company 202 exist in the HubSpot account that Fusebill is connected to, and that no other customer is latched to either: only one customer may hold a contact or a company.
`,
		},
		{
			"words about a contact where there is only a company", company, post(said(400, "No such contact")), `
Error: HubSpot company can't be latched
on hubspot_company_id

Could not update the HubSpot latch of customer 11 (company 202): POST HubSpot/latchCustomer: 400 Bad Request: No such contact.

Check that company 202 exists in the HubSpot account that Fusebill is connected to, and that no other customer is latched to it: only one customer may hold a company.
`,
		},
		{
			"a refusal that is about neither", creating, post(said(415, "The request's Content-Type is not application/json.")), `
Error: Fusebill refused the call

Could not create the HubSpot latch of customer 11 (contact 101): POST HubSpot/latchCustomer: 415 Unsupported Media Type: The request's Content-Type is not application/json.

The API's words above explain why.
`,
		},
		{
			"a refused release", deleting, post(said(409, "The customer is on hold.")), `
Error: Fusebill refused the call

Could not delete the HubSpot latch of customer 11: POST HubSpot/latchCustomer: 409 Conflict: The customer is on hold.

The API's words above explain why.
`,
		},
		{
			"no such customer", creating, get(said(404, "Customer with id 11 was not found.")), `
Error: Customer not found in Fusebill
on fusebill_id

Could not create the HubSpot latch of customer 11 (contact 101): GET customers/11: 404 Not Found: Customer with id 11 was not found.

Check that 11 is the customer's own ID, as in the URL of its page in Fusebill, and not its reference, that the API key belongs to the customer's account, and that base_url is right: the provider used https://secure.fusebill.com/v1.
`,
		},
		{
			"not found, but not in the service's words", reading, get(said(404)), `
Error: Something else than Fusebill answered

Could not read the HubSpot latch of customer 11: GET customers/11: 404 Not Found without a body.

The provider sent the call to https://secure.fusebill.com/v1. Check that base_url ends with the API's version, as in https://secure.fusebill.com/v1, and check any proxy between.
`,
		},
		{
			"forbidden by a proxy", reading, get(said(403)), `
Error: Something else than Fusebill answered

Could not read the HubSpot latch of customer 11: GET customers/11: 403 Forbidden without a body.

The provider sent the call to https://secure.fusebill.com/v1. Check that base_url ends with the API's version, as in https://secure.fusebill.com/v1, and check any proxy between.
`,
		},
		{
			"wrong key", reading, get(said(401)), `
Error: Fusebill refused the API key

Could not read the HubSpot latch of customer 11: GET customers/11: 401 Unauthorized without a body.

The API key is wrong, or it belongs to another environment: the provider used it with https://secure.fusebill.com/v1. A key is base64 of "0:" and 64 characters, 88 characters in all. Fusebill shows it under Settings > Integrations > API Key.

Set api_key in the provider block or FUSEBILL_API_KEY to the account's key, and base_url to the URL of the environment that the key belongs to.
`,
		},
		{
			"malformed key, on a write", creating,
			post(&fusebill.APIError{
				StatusCode: 400, Messages: []string{"Authorization key is not in the correct format."}, BaseURL: "https://stg-secure.fusebill.com/v1",
			}), `
Error: Fusebill refused the API key

Could not create the HubSpot latch of customer 11 (contact 101): POST HubSpot/latchCustomer: 400 Bad Request: Authorization key is not in the correct format.

The API key is wrong, or it belongs to another environment: the provider used it with https://stg-secure.fusebill.com/v1. A key is base64 of "0:" and 64 characters, 88 characters in all. Fusebill shows it under Settings > Integrations > API Key.

Set api_key in the provider block or FUSEBILL_API_KEY to the account's key, and base_url to the URL of the environment that the key belongs to.
`,
		},
		{
			"a key that does not allow the call", creating, post(said(403, "No access to HubSpot.")), `
Error: Fusebill does not allow the call

Could not create the HubSpot latch of customer 11 (contact 101): POST HubSpot/latchCustomer: 403 Forbidden: No access to HubSpot.

The API key is known, but it does not allow this call: the API's words above explain why. Set api_key in the provider block or FUSEBILL_API_KEY to a key that allows it.
`,
		},
		{
			"the refusal of a read is not about HubSpot", creating,
			get(&fusebill.APIError{StatusCode: 400, Messages: []string{"The contact is wrong."}, IsRead: true}), `
Error: Fusebill refused the call

Could not create the HubSpot latch of customer 11 (contact 101): GET customers/11: 400 Bad Request: The contact is wrong.

The API's words above explain why.
`,
		},
		{
			"a fault of the service", reading, get(said(500, "An unexpected error occurred.")), `
Error: Fusebill had a fault

Could not read the HubSpot latch of customer 11: GET customers/11: 500 Internal Server Error: An unexpected error occurred.

It didn't go away within the tries that max_retries allows. Run again later.
`,
		},
		{
			"the day is used up", reading,
			get(&fusebill.RateLimitError{
				Window: fusebill.Day, Limit: 5000, Reset: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
				Err: said(429, "The limit of 5000 API calls per day is exceeded."),
			}), `
Error: Fusebill's rate limit is used up

Could not read the HubSpot latch of customer 11: GET customers/11: the account's limit of 5000 calls per day is used up, until 2026-01-02 00:00:00 UTC (429 Too Many Requests: The limit of 5000 API calls per day is exceeded.).

Run again once it is renewed. Other users of the account share this limit; requests_per_minute in the provider block keeps a part of it for them.
`,
		},
		{
			"a proxy's page", reading,
			get(&fusebill.MalformedAnswerError{ContentType: "text/html", Excerpt: "<html>Please wait</html>", Err: errors.New("invalid character '<' looking for beginning of value")}), `
Error: Fusebill's answer can't be understood

Could not read the HubSpot latch of customer 11: GET customers/11: the answer cannot be understood: invalid character '<' looking for beginning of value (text/html: <html>Please wait</html>).

A proxy may have answered in its place: check base_url and the network, then run again.
`,
		},
		{
			"timed out", reading, get(&timedOutError{30 * time.Second}), `
Error: Timed out

Could not read the HubSpot latch of customer 11: GET customers/11: the timeout of 30s for this operation is over.

Nothing was changed. Run again; the timeouts block of the resource allows more time.
`,
		},
		{
			// Go's network timeouts pass for the context's, which would blame the timeouts block.
			"the network timed out", reading, get(&net.OpError{Op: "dial", Net: "tcp", Err: context.DeadlineExceeded}), `
Error: Fusebill can't be reached

Could not read the HubSpot latch of customer 11: GET customers/11: dial tcp: context deadline exceeded.

Check base_url, the network and any proxy, then run again.
`,
		},
		{
			"interrupted", creating, get(context.Canceled), `
Error: Interrupted

Could not create the HubSpot latch of customer 11 (contact 101): GET customers/11: context canceled.

The run was stopped before anything was changed here. Run again to go on.
`,
		},
		{
			"no network", reading, get(errors.New("dial tcp 127.0.0.1:1: connect: connection refused")), `
Error: Fusebill can't be reached

Could not read the HubSpot latch of customer 11: GET customers/11: dial tcp 127.0.0.1:1: connect: connection refused.

Check base_url, the network and any proxy, then run again.
`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := gocmp.Diff(strings.TrimPrefix(test.want, "\n"), shown(test.attempt.diagnostic(test.err))); diff != "" {
				t.Errorf("diagnostic (- want, + got):\n%s", diff)
			}
		})
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
