package provider

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// setOutcome gathers what has come of the changes of a set.
type setOutcome struct {
	doing           string // create, update or delete
	total, notBegun int
	held            latchMap // what the set holds by now; where nothing failed, what is declared
	failed, left    elementFaults
	kept            []int64 // customers whose latch another resource declares
}

func (o *setOutcome) add(change latch.SetChange, result latch.SetResult) {
	isRelease := change.Declared.IsZero()
	switch {
	case result.Err != nil:
		o.held.set(change.CustomerID, heldOf(change, result))
		o.failed.add(elementError(o.doing, change, result.Err))
	case isRelease && result.Latch == change.Prior:
		o.kept = append(o.kept, change.CustomerID)
	case isRelease && !result.Latch.IsZero():
		o.left.add(leftInPlace(change.CustomerID, change.Prior, result.Latch))
	}
}

// heldOf is what the set holds of a customer whose change has failed: as much of its latch as is the set's.
func heldOf(change latch.SetChange, result latch.SetResult) fusebill.Latch {
	if result.Latch == change.Prior || result.Latch == change.Declared {
		return result.Latch
	}
	return change.Prior
}

// diagnostics tells what has failed, and what stopped the rest, if anything did.
func (o *setOutcome) diagnostics(stopped error) diag.Diagnostics {
	diags := append(o.keptWarning(), o.left.warnings()...)
	diags.Append(o.failed.listed...)
	if stopped != nil {
		diags.Append(setError(fmt.Sprintf("%s %d of %d HubSpot latches", o.doing, o.notBegun, o.total), stopped))
	}
	if diags.HasError() && len(o.held.latches) > 0 {
		diags.Append(o.wayOn())
	}
	return diags
}

// wayOn tells what is left to do after an apply that has failed in part.
func (o *setOutcome) wayOn() diag.Diagnostic {
	failed := len(o.failed.listed) + o.failed.rest
	counts := fmt.Sprintf("Of %d changes %d were made, %d failed and %d weren't begun.", o.total, o.total-failed-o.notBegun, failed, o.notBegun)
	if o.failed.rest > 0 {
		counts += fmt.Sprintf(" The first %d failures are told one by one.", len(o.failed.listed))
	}
	counts += "\n\nWhat was made is in the state. Apply again to do the rest, and only that."
	if o.doing == "create" {
		counts += " Terraform will plan to replace the resource, since its create ended with errors. That removes no latch that is still " +
			"declared: the next create goes on from here."
	}
	return diag.NewErrorDiagnostic("HubSpot latches are incomplete", counts)
}

// keptWarning tells of latches that weren't removed since others declare them.
func (o *setOutcome) keptWarning() diag.Diagnostics {
	if len(o.kept) == 0 {
		return nil
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic("HubSpot latches were kept", "Other resources of the same apply declare "+
		"latches that this one held, as when a resource is renamed or replaced, so they stay as they are: those of customers "+listed(o.kept)+".")}
}

// elementError is what the person at the keyboard reads about one customer of a set. Where a single latch would have other
// ways on, it tells those of a set.
func elementError(doing string, change latch.SetChange, err error) diag.Diagnostic {
	var (
		already *latch.AlreadyLatchedError
		missing *latch.NoCustomerError
	)
	nextStep := ""
	failed := attempt{doing + " the HubSpot latch of", change.CustomerID, change.Declared}.diagnostic(err)
	summary := failed.Summary()
	switch {
	case errors.As(err, &already):
		nextStep = "Nothing was changed. To keep this latch, declare it for the customer:\n\n" + latchArguments(already.Current) +
			"\n\nTo replace it, set allow_reassociation = true. Where it is this resource's own, from a create that ended with errors, " +
			"terraform untaint lets Terraform change it."
	case errors.As(err, &missing):
		summary = "Customer not found in Fusebill"
		nextStep = fmt.Sprintf("Check that %d is the customer's own ID, as in the URL of its page in Fusebill, and not its reference, and that "+
			"the API key is of the customer's account.", change.CustomerID)
	default:
		return inElement(failed, change.CustomerID)
	}
	return diag.NewAttributeErrorDiagnostic(elementPath(strconv.FormatInt(change.CustomerID, 10)), summary,
		fmt.Sprintf("Could not %s the HubSpot latch of customer %d (%s): %s.\n\n%s", doing, change.CustomerID, change.Declared,
			strings.TrimSuffix(err.Error(), "."), nextStep))
}

// inElement moves a diagnostic of a single latch to an element.
func inElement(d diag.Diagnostic, customerID int64) diag.Diagnostic {
	return diag.WithPath(elementPath(strconv.FormatInt(customerID, 10)), d)
}
