package provider

import (
	"crypto/tls"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// diagnosticRules explain errors. The first rule that matches counts, and errors wrap others, so
// the order matters: what a change left behind, for instance, comes before the refusal that stopped
// the change. The messages of a rule are in testdata/diagnostics/NAME.golden.
var diagnosticRules = []diagnosticRule{
	// The account.
	{"state_of_another_account", is[*otherAccountError], "State belongs to another Fusebill account", "", checkAccount},
	{"account_unread", meets(isAccountUnread), "Fusebill's lists do not show HubSpot latches", "",
		always("The lists of customers of this account come without HubSpot IDs, so the provider cannot find all latches " +
			"of the account. Remove exclusive from the set, and list each customer. If the state has exclusive already, " +
			"apply without a refresh:\n\n  terraform apply -refresh=false")},

	// A change that may have left something behind.
	{"not_restored", is[*latch.NotRestoredError], "HubSpot latch could not be restored", "", using(restoreLatch)},
	{"outcome_unknown", is[*fusebill.OutcomeUnknownError], "Outcome of the latch call is unknown", "",
		always("Fusebill may have made this change. Apply again: the provider reads the customer first, and makes no " +
			"change twice.\n\n  terraform apply")},

	// Contradictions in the configuration or the state.
	{"customer_declared_twice", declaredTwice(""), "Customer is declared twice", "fusebill_id", using(chooseResource)},
	{"contact_declared_twice", declaredTwice(fusebill.Contact), "HubSpot contact is declared twice", "hubspot_id",
		using(chooseCustomer)},
	{"company_declared_twice", declaredTwice(fusebill.Company), "HubSpot company is declared twice",
		"hubspot_company_id", using(chooseCustomer)},
	{"declared_and_removed", is[*latch.UnlatchConflictError], "HubSpot latch is both declared and removed",
		"fusebill_id", always("Nothing was changed. Remove the action. To unlatch the customer, remove the resource " +
			"instead: Terraform then removes the latch.")},
	{"removed_elsewhere", is[*latch.RemovedElsewhereError], "HubSpot latch would be removed by another resource",
		"fusebill_id", using(forgetObject)},
	{"two_exclusive_sets", which(func(e *latch.ExclusiveError) bool { return e.CustomerID == 0 }),
		"Another latch set is exclusive", "exclusive", always("Only one latch set can be exclusive. Remove exclusive " +
			"from one of the two, or list the customers of both in one set." + destroyAnyway)},
	{"not_in_exclusive_set", is[*latch.ExclusiveError], "Exclusive latch set does not list the customer", "fusebill_id",
		using(listCustomer)},

	// A customer that is not as it was planned.
	{"already_latched", is[*latch.AlreadyLatchedError], "Customer is already latched", "fusebill_id", using(importLatch)},
	{"changed_since_plan", is[*latch.ChangedError], "HubSpot latch changed since the plan was made", "",
		always("Nothing was changed. Plan again, and review the new plan:\n\n  terraform plan")},
	{"another_latch", is[*latch.OtherLatchError], "Customer has another HubSpot latch", "", using(nameLatch)},
	{"no_customer", is[*latch.NoCustomerError], "Customer not found in Fusebill", "fusebill_id",
		using(func(e *latch.NoCustomerError) string { return checkCustomerID(e.CustomerID) })},
	{"unexpected_answer", is[*latch.UnexpectedAnswerError], "Fusebill answered with another latch", "",
		using(declareAnswer)},

	// Answers of Fusebill.
	{"quota_used_up", meets(fusebill.IsRateLimited), "Fusebill's quota of API calls is used up", "",
		always("Run Terraform again when the quota is renewed. All users of the account share it. To leave a part of " +
			"each minute's calls to others, set requests_per_minute in the provider block.")},
	{"malformed_answer", is[*fusebill.MalformedAnswerError], "Fusebill's answer cannot be understood", "",
		always("A proxy may have answered instead of Fusebill. Check base_url and the network, then run Terraform again.")},
	{"server_error", meets(fusebill.IsFault), "Fusebill returned a server error", "",
		always("The retries that max_retries allows have failed too. Run Terraform again later.")},
	{"key_refused", meets(fusebill.IsKeyRefused), "Fusebill refused the API key", "",
		withBaseURL("The provider sent the API key to %s. The key is wrong, or it belongs to another environment. " +
			keyForm + ". " + keyPlace + ".\n\nSet api_key in the provider block or " + envAPIKey + " to the key of the " +
			"account, and base_url to the URL of the environment that the key belongs to.")},
	{"call_not_allowed", meets(fusebill.IsForbidden), "Fusebill does not allow the call", "",
		always("Fusebill knows the API key, but does not allow this call with it, for the reason quoted above. Set " +
			"api_key in the provider block or " + envAPIKey + " to a key that allows the call.")},
	{"wrong_path", meets(fusebill.IsWrongPath), "Base URL does not lead to the Fusebill API", "",
		withBaseURL("The provider sent the call to %s. Set base_url, or " + envBaseURL + ", to a URL that ends with the " +
			"version of the API:\n\n  base_url = \"" + fusebill.DefaultBaseURL + "\"")},
	{"not_from_fusebill", meets(fusebill.IsForeign), "Unexpected response, not from Fusebill", "",
		withBaseURL("The provider sent the call to %s. Check that base_url ends with the version of the API, as in " +
			fusebill.DefaultBaseURL + ", and check any proxy in between.")},
	{"customer_not_found", isCustomerMissing, "Customer not found in Fusebill", "fusebill_id",
		func(a attempt, err error) string {
			return checkCustomerID(a.customerID) + withBaseURL(" The provider used %s.")(a, err)
		}},
	{"contact_refused", refuses(fusebill.Contact), "HubSpot contact cannot be latched", "hubspot_id", checkRecords},
	{"company_refused", refuses(fusebill.Company), "HubSpot company cannot be latched", "hubspot_company_id",
		checkRecords},
	{"contact_or_company_refused", refuses(""), "HubSpot contact or company cannot be latched", "", checkRecords},
	{"call_refused", is[*fusebill.APIError], "Fusebill refused the call", "",
		always("Remove the cause that Fusebill names above, and run Terraform again.")},

	// A change that has waited in vain.
	{"timed_out", is[*timedOutError], "Timed out", "",
		always("Nothing was changed. Run Terraform again. To allow more time, set timeouts in the resource.")},
	{"interrupted", meets(isInterrupted), "Interrupted", "",
		always("Terraform was stopped before this change began. Nothing was changed. Run Terraform again to continue.")},
	{"contact_held", held(fusebill.Contact), "HubSpot contact is latched to another customer", "hubspot_id",
		using(claimHeld)},
	{"company_held", held(fusebill.Company), "HubSpot company is latched to another customer", "hubspot_company_id",
		using(claimHeld)},

	// The connection.
	{"redirect", is[*fusebill.RedirectError], "Base URL redirects to another address", "",
		always("Set base_url to the address of the API. A proxy that requires a login also answers with a redirect.")},
	{"certificate_not_trusted", is[*tls.CertificateVerificationError], "TLS certificate is not trusted", "",
		always("The provider sent nothing, neither the API key nor data. If a proxy of your network inspects TLS, set the " +
			"certificate of its authority in the provider block:\n\n  ca_certificate = file(\"proxy-authority.pem\")\n\n" +
			"Otherwise check base_url and the clock of this machine.")},
}

// unreachable is the rule for all other errors: no answer came.
var unreachable = diagnosticRule{"unreachable", nil, "Fusebill cannot be reached", "",
	always("Check base_url, the network and any proxy, then run Terraform again.")}
