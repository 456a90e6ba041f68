package provider

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// longChain is the length from which a plan warns about a chain of single latches. It is one more
// than the number of changes that Terraform makes at once without the option -parallelism.
const longChain = 11

// uncheckedPlan returns the warning for an account that could not be read. The plan goes on without
// the checks.
func uncheckedPlan(why diag.Diagnostic) diag.Diagnostic {
	return diag.NewWarningDiagnostic("Plan is not checked for conflicts", why.Summary()+". "+why.Detail()+
		"\n\nThe apply finds conflicts with the latches of other customers.")
}

// laterWarning turns an error into a warning, because its cause may be gone by the time of the
// apply.
func laterWarning(found diag.Diagnostic, at path.Path) diag.Diagnostic {
	detail := found.Detail() + "\n\nUnless that has changed by then, the apply makes the other changes and ends with an " +
		"error for this customer."
	if len(at.Steps()) == 0 {
		return diag.NewWarningDiagnostic(found.Summary(), detail)
	}
	return diag.NewAttributeWarningDiagnostic(at, found.Summary(), detail)
}

// heldWarnings returns a warning for each claim of a plan that another customer holds. It explains
// the effect of the apply.
func heldWarnings(customerID int64, held []latch.Holding, reassociate bool) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, h := range held {
		what := fmt.Sprintf("HubSpot %s is latched to customer %d now, and planned for customer %d. ", h.Claim, h.Holder,
			customerID)
		if reassociate {
			what += fmt.Sprintf("Because allow_reassociation is set, the apply takes it from customer %d, which keeps its "+
				"other ID.", h.Holder)
		} else {
			what += fmt.Sprintf("The apply moves it if the same apply releases it from customer %d, and fails otherwise.\n\n"+
				"To take it from customer %d in any case, set allow_reassociation = true.", h.Holder, h.Holder)
		}
		diags.AddAttributeWarning(path.Root(attributeOf(h.Claim)), "HubSpot "+string(h.Claim.Kind)+
			" is latched to another customer", what)
	}
	return diags
}

// chainWarning warns about a chain of single latches that is longer than Terraform's default
// parallelism. Each change that waits for the next one occupies one of the places.
func (r *hubSpotLatchResource) chainWarning(finding latch.Finding) diag.Diagnostics {
	if finding.Chain < longChain {
		return nil
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic("Long chain of HubSpot latches", fmt.Sprintf("At least %d single "+
		"latches of this configuration form a chain, in which each claims the contact or company that the next one "+
		"releases. One apply can make all of them only if it may make as many changes at once.\n\nApply with a parallelism "+
		"of at least the length of the chain, such as:\n\n  terraform apply -parallelism=%d\n\n"+
		"A fusebill_hubspot_latches resource needs no such option for any number of latches.",
		finding.Chain, max(30, 2*finding.Chain)))}
}

// attributeOf returns the attribute that declares a claim.
func attributeOf(claim fusebill.Claim) string {
	if claim.Kind == fusebill.Contact {
		return "hubspot_id"
	}
	return "hubspot_company_id"
}
