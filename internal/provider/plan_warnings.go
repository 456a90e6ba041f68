package provider

import (
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// longChain is from how many single latches on a plan warns of a chain: Terraform starts ten
// changes at once, unless -parallelism says otherwise.
const longChain = 11

// uncheckedPlan explains that the account could not be read, which does not stop a plan.
func uncheckedPlan(why diag.Diagnostic) diag.Diagnostic {
	return diag.NewWarningDiagnostic("Plan is not checked for conflicts", why.Summary()+". "+why.Detail()+
		"\n\nThe apply finds conflicts with the latches of other customers.")
}

// laterWarning turns what would stop an apply now into a warning: it may have changed by then.
func laterWarning(found diag.Diagnostic, at path.Path) diag.Diagnostic {
	detail := found.Detail() + "\n\nUnless that has changed by then, the apply makes the other changes and ends with an error for this customer."
	if len(at.Steps()) == 0 {
		return diag.NewWarningDiagnostic(found.Summary(), detail)
	}
	return diag.NewAttributeWarningDiagnostic(at, found.Summary(), detail)
}

// heldWarnings describe the claims of a plan that other customers hold, and what the apply does.
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

// chainWarning warns of a chain of single latches that is longer than Terraform's default
// parallelism: each change that waits for the next one occupies a place.
func (r *hubSpotLatchResource) chainWarning(finding latch.Finding) diag.Diagnostics {
	if finding.Chain < longChain {
		return nil
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic("Long chain of HubSpot latches", fmt.Sprintf("At least %d single "+
		"latches of this configuration wait for each other, because each claims what the next one releases. An apply needs "+
		"as many places to finish them at once.\n\nApply with a parallelism of at least the length of the chain, such as:"+
		"\n\n  terraform apply -parallelism=%d\n\nA fusebill_hubspot_latches resource moves any number of latches without it.",
		finding.Chain, max(30, 2*finding.Chain)))}
}

// attributeOf is the attribute that makes a claim.
func attributeOf(claim fusebill.Claim) string {
	if claim.Kind == fusebill.Contact {
		return "hubspot_id"
	}
	return "hubspot_company_id"
}
