package provider

import (
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// customerMention matches a customer in a message, which names it by its ID.
var customerMention = regexp.MustCompile(`\b[Cc]ustomer [0-9]+\b`)

// nameCustomers adds the name of each customer to its first mention in a message, if the provider
// has read the customer: "customer 2554530 (Brown Coffee)". Each operation calls it at its end,
// because the messages come from all packages and only the reader knows names. A provider that is
// not configured, which is nil here, adds none.
func (d *providerData) nameCustomers(diags *diag.Diagnostics) {
	if d == nil {
		return
	}
	for i, message := range *diags {
		if detail := d.withNames(message.Detail()); detail != message.Detail() {
			(*diags)[i] = withDetail(message, detail)
		}
	}
}

func (d *providerData) withNames(text string) string {
	named := make(map[int64]bool)
	return customerMention.ReplaceAllStringFunc(text, func(mention string) string {
		word, digits, _ := strings.Cut(mention, " ")
		id, ok := parseID(digits)
		if !ok || named[id] {
			return mention
		}
		named[id] = true
		return word + strings.TrimPrefix(d.reader.Name(id), "customer")
	})
}

// withDetail returns a copy of a diagnostic with another detail.
func withDetail(d diag.Diagnostic, detail string) diag.Diagnostic {
	at, hasPath := d.(diag.DiagnosticWithPath)
	switch {
	case hasPath && d.Severity() == diag.SeverityError:
		return diag.NewAttributeErrorDiagnostic(at.Path(), d.Summary(), detail)
	case hasPath:
		return diag.NewAttributeWarningDiagnostic(at.Path(), d.Summary(), detail)
	case d.Severity() == diag.SeverityError:
		return diag.NewErrorDiagnostic(d.Summary(), detail)
	default:
		return diag.NewWarningDiagnostic(d.Summary(), detail)
	}
}
