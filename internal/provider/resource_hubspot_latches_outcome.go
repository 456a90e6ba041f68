package provider

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// setOutcome gathers the outcomes of the changes of a set.
type setOutcome struct {
	doing           string // create, update or delete
	total, notBegun int
	rows            setRows                  // the rows after the apply; the declared ones if nothing failed
	unlisted        map[int64]fusebill.Latch // customers that an exclusive set could not unlatch
	failed, left    faultList
	isUndone        map[int64]bool // customers whose change was not made
	kept            []int64        // customers that stay latched, because another resource declares the latch
}

func newSetOutcome(doing string, total int, declared setRows) setOutcome {
	return setOutcome{
		doing: doing, total: total, rows: declared, unlisted: make(map[int64]fusebill.Latch), isUndone: make(map[int64]bool),
		left: faultList{summary: "Other HubSpot latches were left in place"},
	}
}

func (o *setOutcome) add(change latch.Change, result latch.Result) {
	switch {
	case result.Err != nil:
		d := rowError(o.doing, change, result.Err)
		at := o.pathOf(change, d)
		o.keep(change, latchAfter(change, result))
		o.failed.addDiagnostic(at, d)
	case result.Kept:
		o.kept = append(o.kept, change.CustomerID)
	case change.Declared.IsZero() && !result.Latch.IsZero():
		o.left.addDiagnostic(o.rows.elementPath(change.CustomerID),
			notRemovedWarning(change.CustomerID, change.Prior, result))
	}
}

// skip adds a change that was not begun.
func (o *setOutcome) skip(change latch.Change) {
	o.notBegun++
	o.keep(change, change.Prior)
}

// keep records the latch that the state gets for a customer whose change was not made.
func (o *setOutcome) keep(change latch.Change, l fusebill.Latch) {
	o.isUndone[change.CustomerID] = true
	if change.Strict {
		o.unlisted[change.CustomerID] = l
		return
	}
	o.rows.put(change.CustomerID, l)
}

// latchAfter returns the latch that the state gets for a customer whose change has failed. It is
// the prior latch if the customer now has a latch that is neither the prior nor the declared one,
// because the set did not make it. For an unlisted customer it is the current latch.
func latchAfter(change latch.Change, result latch.Result) fusebill.Latch {
	if change.Strict || result.Latch == change.Prior || result.Latch == change.Declared {
		return result.Latch
	}
	return change.Prior
}

// pathOf returns the attribute for an error about a change.
func (o *setOutcome) pathOf(change latch.Change, d diag.Diagnostic) path.Path {
	if change.Strict {
		return path.Root("exclusive")
	}
	return rowPath(o.rows, change.CustomerID, d)
}

// rowPath returns the element of a set for a diagnostic that is on an attribute of a single latch.
func rowPath(rows setRows, customerID int64, d diag.Diagnostic) path.Path {
	key := strconv.FormatInt(customerID, 10)
	if at, ok := d.(diag.DiagnosticWithPath); ok {
		switch at.Path().String() {
		case "hubspot_id":
			return rows.contacts.elementPath(key)
		case "hubspot_company_id":
			return rows.companies.elementPath(key)
		}
	}
	return rows.elementPath(customerID)
}

// diagnostics returns the errors of the changes that failed, and the error that stopped the others.
func (o *setOutcome) diagnostics(stopped error) diag.Diagnostics {
	diags := append(o.keptWarning(), o.left.warnings()...)
	failed := o.failed.count()
	for _, d := range o.failed.first {
		diags.Append(d)
	}
	if stopped != nil {
		diags.Append(setError(fmt.Sprintf("%s %d of %d HubSpot latches", o.doing, o.notBegun, o.total), stopped))
	}
	if diags.HasError() && len(o.rows.latches) > 0 {
		diags.AddError("HubSpot latches are incomplete", o.nextStep(failed))
	}
	return diags
}

// nextStep counts the changes of an apply that has failed in part, and explains how to make the
// rest.
func (o *setOutcome) nextStep(failed int) string {
	counts := fmt.Sprintf("Of %d changes %d were made, %d failed and %d were not begun.", o.total,
		o.total-failed-o.notBegun, failed, o.notBegun)
	if o.failed.rest > 0 {
		counts += fmt.Sprintf(" The first %d failures are listed individually.", len(o.failed.first))
	}
	counts += "\n\nThe state has what was made. Apply again to do the rest, and only that."
	if o.doing == "create" {
		counts += " Terraform plans to replace the resource, since its create ended with errors. The replacement removes " +
			"no latch that is still declared; it continues from here."
	}
	return counts
}

// keptWarning lists the latches that were not removed, because other resources declare them.
func (o *setOutcome) keptWarning() diag.Diagnostics {
	if len(o.kept) == 0 {
		return nil
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic("HubSpot latches were kept",
		"This set no longer has the latches of these customers. They stay latched, because other resources of the same "+
			"apply declare their latches, for example after a rename: "+listed(o.kept)+".")}
}

// rowError returns the error for a failed change of one customer. It is the error of a single
// latch, except that some next steps differ in a set.
func rowError(doing string, change latch.Change, err error) diag.Diagnostic {
	var (
		already *latch.AlreadyLatchedError
		changed *latch.ChangedError
		missing *latch.NoCustomerError
	)
	row := attempt{doing + " the HubSpot latch of", change.CustomerID, change.Declared}
	if change.CustomerID == 0 {
		row.doing = doing + " the HubSpot latches"
	}
	d, what := row.diagnostic(err), row.failure(err)+"\n\n"
	switch {
	case change.Strict && errors.As(err, &changed):
		return diag.NewErrorDiagnostic(d.Summary(), fmt.Sprintf("This exclusive set does not list %s. The plan showed "+
			"that its latch to %s would be removed, and it is latched to %s now. Its latch stays as it is.\n\nPlan again, "+
			"and review what the new plan shows.",
			customerName(change.CustomerID), changed.Planned, changed.Current))
	case errors.As(err, &already):
		return diag.NewErrorDiagnostic(d.Summary(), what+"The latch stays as it is. To keep it, declare it for the "+
			"customer:\n\n"+rowArguments(change.CustomerID, already.Current)+
			"\n\nTo replace it, set allow_reassociation = true.")
	case errors.As(err, &missing), fusebill.IsNotFound(err):
		return diag.NewErrorDiagnostic("Customer not found in Fusebill", what+fmt.Sprintf("Where the customer was "+
			"deleted, remove it from the set. Otherwise check that %d is the ID of the customer, as in the URL of its page "+
			"in Fusebill, and not its reference.", change.CustomerID))
	default:
		return d
	}
}

// rowArguments returns the configuration that declares a latch in a set.
func rowArguments(customerID int64, l fusebill.Latch) string {
	var lines []string
	if l.HubSpotID != 0 {
		lines = append(lines, fmt.Sprintf("  hubspot_ids         = { \"%d\" = \"%d\" }", customerID, l.HubSpotID))
	}
	if l.HubSpotCompanyID != 0 {
		lines = append(lines, fmt.Sprintf("  hubspot_company_ids = { \"%d\" = \"%d\" }", customerID, l.HubSpotCompanyID))
	}
	return strings.Join(lines, "\n")
}

// setError returns the error for a failure that is not about a single customer.
func setError(doing string, err error) diag.Diagnostic {
	d := attempt{doing: doing}.diagnostic(err)
	return diag.NewErrorDiagnostic(d.Summary(), d.Detail())
}

// wrongAccount returns the error for a set of which no customer exists. Of a large set, the
// provider looks up only some customers.
func wrongAccount(lookedUp []int64, rows int, baseURL string) diag.Diagnostic {
	what := fmt.Sprintf("None of the %d customers of the set", rows)
	if len(lookedUp) < rows {
		what = fmt.Sprintf("None of %d customers that the provider looked up, of the %d customers of the set,",
			len(lookedUp), rows)
	}
	return diag.NewErrorDiagnostic("Customers of the set are not in this Fusebill account",
		fmt.Sprintf("%s exists in the account that the API key opens at %s: %s. The key may be that of another account, "+
			"or base_url that of another environment, such as the sandbox.\n\nCheck api_key and base_url in the provider "+
			"block, or FUSEBILL_API_KEY and FUSEBILL_BASE_URL. If the account is right and the customers were all "+
			"deleted, remove the set from the configuration, and from the state:\n\n"+
			"  terraform state rm ADDRESS", what, baseURL, listed(lookedUp)))
}
