package provider

import (
	"regexp"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// customerMention is a customer as messages name it, by its ID alone.
var customerMention = regexp.MustCompile(`\b[Cc]ustomer [0-9]+\b`)

// nameCustomers adds to the first mention of each customer in a message the name by which people
// recognize it, as far as the provider has read it: "customer 2554530 (Brown Coffee)". The messages
// of all layers come past here, and only the reader knows names. Nil is a provider that is not
// configured.
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

// withDetail is a diagnostic with another detail.
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
