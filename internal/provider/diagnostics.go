package provider

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// attempt is what was being done when an error came up.
type attempt struct {
	doing      string         // "create the HubSpot latch of"; the customer follows
	customerID int64          // 0: it isn't about one customer, and nothing follows
	declared   fusebill.Latch // zero where nothing was to be latched
}

// diagnostic turns any error of package latch or fusebill into what the person at the keyboard reads: what was attempted
// for which customer, what the API said in its own words, and what to do next, on the attribute at fault.
func (a attempt) diagnostic(err error) diag.Diagnostic {
	explained := a.explain(err)
	detail := "Could not " + a.doing
	if a.customerID != 0 {
		detail += fmt.Sprintf(" customer %d", a.customerID)
	}
	if !a.declared.IsZero() {
		detail += fmt.Sprintf(" (%s)", a.declared)
	}
	detail += ": " + strings.TrimSuffix(err.Error(), ".") + ".\n\n" + explained.nextStep
	if explained.attribute == "" {
		return diag.NewErrorDiagnostic(explained.summary, detail)
	}
	return diag.NewAttributeErrorDiagnostic(path.Root(explained.attribute), explained.summary, detail)
}

// explanation is the part of a diagnostic that depends on the kind of error.
type explanation struct {
	summary   string // what failed, without the ID, so that many of them read as one
	nextStep  string
	attribute string // empty: none is at fault
}

// explain tells kinds of errors apart by their types and status, never by their texts.
func (a attempt) explain(err error) explanation {
	var (
		already     *latch.AlreadyLatchedError
		changed     *latch.ChangedError
		twice       *latch.DeclaredTwiceError
		unlatched   *latch.UnlatchConflictError
		other       *latch.OtherLatchError
		removed     *latch.RemovedElsewhereError
		exclusive   *latch.ExclusiveError
		missing     *latch.NoCustomerError
		held        *latch.HeldError
		notRestored *latch.NotRestoredError
		unexpected  *latch.UnexpectedAnswerError
		unknown     *fusebill.OutcomeUnknownError
		rateLimit   *fusebill.RateLimitError
		malformed   *fusebill.MalformedAnswerError
		apiErr      *fusebill.APIError
		redirect    *fusebill.RedirectError
		certificate *tls.CertificateVerificationError
		timedOut    = errors.As(err, new(*timedOutError)) // Not DeadlineExceeded, which the network's own timeouts are too.
		interrupted = errors.Is(err, context.Canceled)
	)
	if other, isOther := errors.AsType[*otherAccountError](err); isOther {
		return a.explainOtherAccount(other)
	}
	switch {
	case errors.As(err, &already):
		return explanation{"Customer is latched already", "Nothing was changed. To take this latch over as it is, import it:\n\n" +
			importBlock(already.CustomerID) + "\n\nand declare what it holds:\n\n" + latchArguments(already.Current) +
			"\n\nTo replace it, set allow_reassociation = true. A resource with create_before_destroy whose customer stays the same " +
			"needs that, too.", "fusebill_id"}
	case errors.As(err, &changed):
		return explanation{"HubSpot latch changed since the plan was made", "Nothing was changed. Plan again, and review what the " +
			"new plan shows.", ""}
	case errors.As(err, &twice):
		return explanation{"HubSpot latch is declared twice", "Only one customer may hold a contact or a company, and only one resource may " +
			"latch a customer. Remove it from one of the two." + destroyAllTheSame, attributeDeclaredTwice(twice)}
	case errors.As(err, &unlatched):
		return explanation{"HubSpot latch is both declared and removed", "Nothing was changed. Leave one of them out. A latch that a resource " +
			"manages is removed by removing the resource.", "fusebill_id"}
	case errors.As(err, &other):
		return explanation{"Customer is latched to something else", "Nothing was changed. To remove this latch, set hubspot_id and " +
			"hubspot_company_id to what it holds, or leave both out.", ""}
	case errors.As(err, &removed):
		return explanation{"HubSpot latch would be removed by another resource", "Nothing was changed. Two objects of the state have this " +
			"latch. One of them may be a resource that was renamed without a moved block, or a deposed object, which terraform state " +
			"list does not show. Let Terraform forget the one that is not needed, by a removed block with destroy = false or by:" +
			"\n\n  terraform state rm ADDRESS\n\nWhere that was a " +
			"deposed object, Terraform forgets the current object too. Import that again:\n\n  terraform import ADDRESS " +
			formatID(removed.CustomerID) + destroyAllTheSame, "fusebill_id"}
	case errors.As(err, &exclusive):
		return explanation{"HubSpot latch is declared elsewhere", "An exclusive latch set removes every latch that it does not list. " +
			"List the customer in that set instead of another resource, or leave out exclusive. Only one set can be exclusive." +
			destroyAllTheSame, "fusebill_id"}
	case errors.As(err, &missing):
		return explanation{"Customer not found in Fusebill", "Check that the ID is the customer's own, as in the URL of its page in " +
			"Fusebill, and not its reference, and that the API key and base_url are those of its account.", "fusebill_id"}
	case errors.As(err, &notRestored):
		return explanation{"HubSpot latch was lost on the way", "Apply again: the plan starts from what holds now. Check the customer in " +
			"Fusebill if that fails too.", ""}
	case errors.As(err, &held) && !timedOut && !interrupted:
		return explanation{"HubSpot " + string(held.Held[0].Claim.Kind) + " is latched to another customer", nextStepOf(held),
			attributeOf(held.Held[0].Claim)}
	case errors.As(err, &unexpected):
		return explanation{"Fusebill answered with another latch", "HubSpot gives merged contacts and companies a new ID. If " +
			"the declared one was merged, declare the ID that Fusebill answered with:\n\n" + latchArguments(unexpected.Answered) +
			"\n\nOtherwise compare the customer in Fusebill and HubSpot. The next plan shows the current latch.", ""}
	case errors.As(err, &unknown):
		return explanation{"Outcome of the latch call is unknown", "The change may have been made all the same. Apply again: the " +
			"customer is read first, and where the change was made it isn't made twice.", ""}
	case errors.As(err, &rateLimit):
		return explanation{"Fusebill's rate limit is used up", "Run again once it is renewed. Other users of the account share " +
			"this limit; requests_per_minute in the provider block keeps a part of it for them.", ""}
	case errors.As(err, &malformed):
		return explanation{"Fusebill's answer can't be understood", "A proxy may have answered in its place: check base_url and the " +
			"network, then run again.", ""}
	case errors.As(err, &apiErr):
		return a.explainRefusal(apiErr)
	case timedOut:
		return explanation{"Timed out", "Nothing was changed. Run again; the timeouts block of the resource allows more time.", ""}
	case interrupted:
		return explanation{"Interrupted", "The run was stopped before anything was changed here. Run again to go on.", ""}
	case errors.As(err, &redirect):
		return explanation{"Fusebill's address redirects elsewhere", "Set base_url to the address that serves the API itself. A proxy that " +
			"wants a login answers with a redirect, too.", ""}
	case errors.As(err, &certificate):
		return explanation{"Certificate isn't trusted", "Nothing was sent, the API key included. If a proxy of yours looks into TLS, give " +
			"its authority's certificate as ca_certificate in the provider block, or install it in the system. If not, check base_url and " +
			"this machine's clock.", ""}
	default:
		return explanation{"Fusebill can't be reached", "Check base_url, the network and any proxy, then run again.", ""}
	}
}

// explainOtherAccount explains how to go on with a state of another account.
func (a attempt) explainOtherAccount(other *otherAccountError) explanation {
	id := "CUSTOMER_ID"
	if other.customerID != 0 {
		id = formatID(other.customerID)
	}
	if a.customerID == 0 {
		id += ",CUSTOMER_ID"
	}
	return explanation{"State is of another Fusebill account", "Nothing was changed. The API key may be that of another " +
		"account, or base_url that of another environment, such as the sandbox. Check api_key and base_url in the provider " +
		"block, or " + envAPIKey + " and " + envBaseURL + ".\n\nWhere the account is right, because its customers were moved or " +
		"deleted, let Terraform forget the resource, and import what the account has:\n\n" +
		"  terraform state rm ADDRESS\n  terraform import ADDRESS " + id, ""}
}

// destroyAllTheSame is the way past an error of a plan: terraform destroy plans the configuration
// before it plans the destroy.
const destroyAllTheSame = "\n\nTo destroy all the same, skip the plan before it:\n\n  terraform destroy -refresh=false"

func attributeDeclaredTwice(twice *latch.DeclaredTwiceError) string {
	if twice.Claim == (fusebill.Claim{}) {
		return "fusebill_id"
	}
	return attributeOf(twice.Claim)
}

// nextStepOf explains what to do about a claim that another customer holds.
func nextStepOf(held *latch.HeldError) string {
	if held.Reason == latch.HolderKeeps {
		return "That customer's latch is part of the same apply and keeps this, or failed to release it: look for another error above " +
			"or below, and apply again once it is solved."
	}
	var taken []string
	for _, h := range held.Held {
		taken = append(taken, fmt.Sprintf("%s from customer %d", h.Claim, h.Holder))
	}
	take := "To take " + strings.Join(taken, " and ") + ", set allow_reassociation = true; the holder keeps its other ID."
	if held.Reason == latch.HolderWaits {
		return fmt.Sprintf("Nothing was changed. The holder's own change waits for another one, in a chain of at least %d. Terraform "+
			"starts a limited number of changes at once, so the end of a longer chain cannot begin.\n\nApply again with a larger "+
			"parallelism:\n\n  terraform apply -parallelism=%d\n\nEach apply settles a part of the chain. %s", held.Chain, max(30, 2*held.Chain), take)
	}
	return "Nothing was changed. Where the holder's latch is wrong, remove or change it first. " + take + "\n\nWhere this apply was to " +
		"release it, its change did not begin in time. Possible reasons: -parallelism is below the number of latches that wait for each " +
		"other; depends_on or a reference orders the two changes the other way round; create_before_destroy keeps the old latch until " +
		"the new one exists, which needs allow_reassociation = true; the holder depends on something slow, which a timeouts block " +
		"allows for."
}

// explainRefusal explains what package fusebill makes of a status.
func (a attempt) explainRefusal(apiErr *fusebill.APIError) explanation {
	baseURL := cmp.Or(apiErr.BaseURL, fusebill.DefaultBaseURL)
	switch {
	case fusebill.IsFault(apiErr):
		return explanation{"Fusebill had a fault", "It didn't go away within the tries that max_retries allows. Run again later.", ""}
	case fusebill.IsKeyRefused(apiErr):
		return explanation{"Fusebill refused the API key", fmt.Sprintf("The API key is wrong, or it belongs to another environment: the "+
			"provider used it with %s. %s. %s.\n\nSet api_key in the provider block or %s to the account's key, and base_url to the "+
			"URL of the environment that the key belongs to.", baseURL, keyForm, keyPlace, envAPIKey), ""}
	case fusebill.IsForbidden(apiErr):
		return explanation{"Fusebill does not allow the call", "The API key is known, but it does not allow this call: the API's words " +
			"above explain why. Set api_key in the provider block or " + envAPIKey + " to a key that allows it.", ""}
	case fusebill.IsWrongPath(apiErr):
		return explanation{"Base URL does not lead to the Fusebill API", fmt.Sprintf("The provider sent the call to %s. Check that "+
			"base_url, or %s, ends with the API's version, as in %s.", baseURL, envBaseURL, fusebill.DefaultBaseURL), ""}
	case fusebill.IsForeign(apiErr):
		return explanation{"Something else than Fusebill answered", fmt.Sprintf("The provider sent the call to %s. Check that base_url ends "+
			"with the API's version, as in %s, and check any proxy between.", baseURL, fusebill.DefaultBaseURL), ""}
	case fusebill.IsNotFound(apiErr) && a.customerID != 0:
		return explanation{"Customer not found in Fusebill", fmt.Sprintf("Check that %d is the customer's own ID, as in the URL of its "+
			"page in Fusebill, and not its reference, that the API key belongs to the customer's account, and that base_url is right: the "+
			"provider used %s.", a.customerID, baseURL), "fusebill_id"}
	case a.declared.IsZero() || !fusebill.IsConflict(apiErr):
		return explanation{"Fusebill refused the call", "The API's words above explain why.", ""}
	}
	const (
		there = "in the HubSpot account that Fusebill is connected to, and that no other customer is latched to "
		only  = "only one customer may hold a "
	)
	switch attribute := a.attributeAtFault(apiErr); attribute {
	case "hubspot_id":
		return explanation{"HubSpot contact can't be latched", fmt.Sprintf("Check that contact %d exists "+there+"it: "+only+"contact.",
			a.declared.HubSpotID), attribute}
	case "hubspot_company_id":
		return explanation{"HubSpot company can't be latched", fmt.Sprintf("Check that company %d exists "+there+"it: "+only+"company.",
			a.declared.HubSpotCompanyID), attribute}
	default:
		return explanation{"HubSpot contact or company can't be latched", fmt.Sprintf("Check that %s exist "+there+"either: "+only+
			"contact or a company.", a.declared), ""}
	}
}

// attributeAtFault places a refusal. The API says only in prose whether it is about the contact or the company, so where
// both are declared its words choose the place, and nothing but the place.
func (a attempt) attributeAtFault(apiErr *fusebill.APIError) string {
	words := strings.ToLower(strings.Join(apiErr.Messages, " "))
	contact, company := strings.Contains(words, "contact"), strings.Contains(words, "company")
	switch {
	case a.declared.HubSpotCompanyID == 0 || contact && !company && a.declared.HubSpotID != 0:
		return "hubspot_id"
	case a.declared.HubSpotID == 0 || company && !contact:
		return "hubspot_company_id"
	default:
		return ""
	}
}

// importBlock is configuration to paste (Terraform 1.5 or later; the docs tell the command for older ones).
func importBlock(customerID int64) string {
	return fmt.Sprintf("  import {\n    to = fusebill_hubspot_latch.example\n    id = \"%d\"\n  }", customerID)
}

// latchArguments are the arguments of a resource that declares a latch.
func latchArguments(l fusebill.Latch) string {
	contact := fmt.Sprintf("hubspot_id = %d", l.HubSpotID)
	company := fmt.Sprintf("hubspot_company_id = %d", l.HubSpotCompanyID)
	switch {
	case l.HubSpotCompanyID == 0:
		return "  " + contact
	case l.HubSpotID == 0:
		return "  " + company
	default:
		return "  " + strings.Replace(contact, " =", "         =", 1) + "\n  " + company // Aligned as terraform fmt does.
	}
}

// sentence makes a sentence of an error.
func sentence(err error) string {
	text := err.Error()
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + strings.TrimSuffix(text[size:], ".") + "."
}
