package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// destroyAnyway is the way past an error of a plan: terraform destroy plans the configuration
// before it plans the destroy.
const destroyAnyway = "\n\nTo destroy the resources without this check:\n\n  terraform destroy -refresh=false"

func isAccountUnread(err error) bool { return errors.Is(err, customers.ErrAccountUnread) }

// isInterrupted reports whether the CLI has canceled an operation. It does not look for
// [context.DeadlineExceeded], which timeouts of the network are too.
func isInterrupted(err error) bool { return errors.Is(err, context.Canceled) }

func isCustomerMissing(a attempt, err error) bool {
	return a.customerID != 0 && fusebill.IsNotFound(err)
}

// declaredTwice matches the customer (the empty kind), contact or company of two objects.
func declaredTwice(kind fusebill.Kind) func(attempt, error) bool {
	return which(func(e *latch.DeclaredTwiceError) bool { return e.Claim.Kind == kind })
}

// held matches a claim that another customer holds; where several are held, by the first one.
func held(kind fusebill.Kind) func(attempt, error) bool {
	return which(func(e *latch.HeldError) bool { return e.Held[0].Claim.Kind == kind })
}

// refuses matches a refusal of the declared contact or company; of the empty kind, if it may be
// both.
func refuses(kind fusebill.Kind) func(attempt, error) bool {
	return func(a attempt, err error) bool {
		return !a.declared.IsZero() && fusebill.IsConflict(err) && a.kindAtFault(err) == kind
	}
}

// kindAtFault returns what a refusal is about, the empty kind if it may be both. If both are
// declared, only the API's words name the contact or the company. No decision depends on them, only
// the attribute that the message points at.
func (a attempt) kindAtFault(err error) fusebill.Kind {
	apiErr, _ := errors.AsType[*fusebill.APIError](err)
	words := strings.ToLower(strings.Join(apiErr.Messages, " "))
	contact, company := strings.Contains(words, "contact"), strings.Contains(words, "company")
	switch {
	case a.declared.HubSpotCompanyID == 0 || contact && !company && a.declared.HubSpotID != 0:
		return fusebill.Contact
	case a.declared.HubSpotID == 0 || company && !contact:
		return fusebill.Company
	default:
		return ""
	}
}

// withBaseURL is a next step whose format has a place for the URL that the refused call was sent
// to.
func withBaseURL(format string) func(attempt, error) string {
	return using(func(e *fusebill.APIError) string {
		return fmt.Sprintf(format, cmp.Or(e.BaseURL, fusebill.DefaultBaseURL))
	})
}

// checkAccount explains how to go on with a state of another account.
func checkAccount(a attempt, err error) string {
	other, _ := errors.AsType[*otherAccountError](err)
	id := "CUSTOMER_ID"
	if other.customerID != 0 {
		id = formatID(other.customerID)
	}
	if a.customerID == 0 {
		id += ",CUSTOMER_ID"
	}
	return "Nothing was changed. The API key may belong to another account, or the base URL to another environment, " +
		"such as the sandbox. Check api_key and base_url in the provider block, or " + envAPIKey + " and " + envBaseURL +
		".\n\nIf the account is right, because its customers were moved or deleted, let Terraform forget the resource, " +
		"and import the latches of the account:\n\n  terraform state rm ADDRESS\n  terraform import ADDRESS " + id
}

func restoreLatch(e *latch.NotRestoredError) string {
	return fmt.Sprintf("Apply again. The new plan starts from the current latches:\n\n  terraform apply\n\nIf no "+
		"resource declares the latch of customer %d to %s, restore it in Fusebill.", e.CustomerID, e.Prior)
}

func chooseResource(e *latch.DeclaredTwiceError) string {
	return fmt.Sprintf("Only one resource can latch customer %d. Remove the customer from the others.%s",
		e.CustomerID, destroyAnyway)
}

func chooseCustomer(e *latch.DeclaredTwiceError) string {
	return fmt.Sprintf("Only one customer can be latched to %s. Remove it from customer %d or from customer %d.%s",
		e.Claim, e.CustomerID, e.Other, destroyAnyway)
}

func forgetObject(e *latch.RemovedElsewhereError) string {
	return fmt.Sprintf("Nothing was changed. Two objects of the state have this latch. One of them may be a resource "+
		"that was renamed without a moved block, or a deposed object, which terraform state list does not show. Let "+
		"Terraform forget the object that is not needed, with a removed block that has destroy = false, or with:\n\n"+
		"  terraform state rm ADDRESS\n\nIf it was a deposed object, Terraform forgets the current object too. Import "+
		"the latch again:\n\n  terraform import ADDRESS %d%s", e.CustomerID, destroyAnyway)
}

func listCustomer(e *latch.ExclusiveError) string {
	return fmt.Sprintf("An exclusive latch set removes each latch that it does not list. List customer %d in that set "+
		"instead of another resource, or remove exclusive from the set.%s", e.CustomerID, destroyAnyway)
}

func importLatch(e *latch.AlreadyLatchedError) string {
	return "Nothing was changed. To keep the current latch, import it:\n\n" + importBlock(e.CustomerID) + "\n\nand " +
		"declare it in the resource:\n\n" + latchArguments(e.Current) + "\n\nTo replace it, set allow_reassociation = " +
		"true. A replacement with create_before_destroy that keeps the customer needs this too."
}

func nameLatch(e *latch.OtherLatchError) string {
	return "Nothing was changed. To remove the current latch, name it in the action:\n\n" + latchArguments(e.Current) +
		"\n\nWithout hubspot_id and hubspot_company_id, the action removes any latch of the customer."
}

func declareAnswer(e *latch.UnexpectedAnswerError) string {
	if e.Requested.IsZero() {
		return "The latch may still be there. Apply again: the provider reads the customer first.\n\n  terraform apply"
	}
	return "HubSpot gives merged contacts and companies a new ID. If the declared one was merged, declare the latch of " +
		"the answer:\n\n" + latchArguments(e.Answered) + "\n\nOtherwise compare the customer in Fusebill and HubSpot. The " +
		"next plan shows the current latch."
}

func checkCustomerID(customerID int64) string {
	return fmt.Sprintf("Check that %d is the ID of the customer, as in the URL of its page in Fusebill, and not its "+
		"reference. Check also that api_key and base_url in the provider block belong to the account of the customer.",
		customerID)
}

// checkRecords explains a refusal that may be about the declared contact or company.
func checkRecords(a attempt, err error) string {
	const text = "Check that %s in the HubSpot account that is connected to Fusebill, and that no other customer is " +
		"latched to "
	for _, claim := range a.declared.Claims() {
		if claim.Kind == a.kindAtFault(err) {
			return fmt.Sprintf(text+"it. To find that customer:\n\n  data \"fusebill_customer\" \"holder\" {\n"+
				"    %s = \"%d\"\n  }\n\nTo take it from that customer, set allow_reassociation = true. If the account has more "+
				"than 20,000 customers, also set conflict_check = \"always\" in the provider block.",
				claim.String()+" exists", attributeOf(claim), claim.ID)
		}
	}
	return fmt.Sprintf(text+"either of them.", a.declared.String()+" exist")
}

// claimHeld explains how to get claims that other customers hold.
func claimHeld(e *latch.HeldError) string {
	holder := e.Held[0].Holder
	if e.Reason == latch.HolderKeeps {
		return fmt.Sprintf("This apply keeps it for customer %d, or could not release it. Look for another error of this "+
			"apply, and apply again when that is solved:\n\n  terraform apply", holder)
	}
	var taken []string
	for _, h := range e.Held {
		taken = append(taken, fmt.Sprintf("%s from customer %d", h.Claim, h.Holder))
	}
	take := "To take " + strings.Join(taken, " and ") + ", set allow_reassociation = true. The holder keeps its other ID."
	if e.Reason == latch.HolderWaits {
		return fmt.Sprintf("Nothing was changed. The change of customer %d waits for another one, in a chain of at least %d "+
			"changes. Terraform makes a limited number of changes at once, so the end of a longer chain cannot begin. Apply "+
			"with a larger parallelism:\n\n  terraform apply -parallelism=%d\n\nEach apply settles a part of the chain. %s",
			holder, e.Chain, max(30, 2*e.Chain), take)
	}
	return fmt.Sprintf("Nothing was changed. If the latch of customer %d is wrong, remove or change it first. %s\n\n"+
		"If this apply was to release it, the change of customer %d did not begin in time. Possible reasons:\n\n"+
		"  - -parallelism is lower than the number of latches that wait for each other.\n"+
		"  - depends_on or a reference makes the other change wait for this one.\n"+
		"  - create_before_destroy keeps the old latch until this one exists: set\n    allow_reassociation = true.\n"+
		"  - The other change waits for something slow: set timeouts in this resource.", holder, take, holder)
}
