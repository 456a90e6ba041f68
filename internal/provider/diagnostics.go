package provider

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// attempt is an operation that may fail.
type attempt struct {
	doing      string         // "create the HubSpot latch of"; the customer follows
	customerID int64          // 0: the operation is not about one customer
	declared   fusebill.Latch // zero: the operation latches nothing
}

// diagnostic explains an error of any layer: what was attempted for which customer, why it failed,
// in the API's own words, and the next step. It points at the attribute at fault.
func (a attempt) diagnostic(err error) diag.Diagnostic {
	rule := a.rule(err)
	detail := a.failure(err) + "\n\n" + rule.nextStep(a, err)
	if rule.attribute == "" {
		return diag.NewErrorDiagnostic(rule.summary, detail)
	}
	return diag.NewAttributeErrorDiagnostic(path.Root(rule.attribute), rule.summary, detail)
}

// failure returns what was attempted and why it failed.
func (a attempt) failure(err error) string {
	text := "Could not " + a.doing
	if a.customerID != 0 {
		text += fmt.Sprintf(" customer %d", a.customerID)
	}
	if !a.declared.IsZero() {
		text += fmt.Sprintf(" to %s", a.declared)
	}
	return text + ": " + withFullStop(err.Error())
}

// rule returns the first rule that matches an error.
func (a attempt) rule(err error) diagnosticRule {
	for _, rule := range diagnosticRules {
		if rule.matches(a, err) {
			return rule
		}
	}
	return unreachable
}

// diagnosticRule explains one kind of error.
type diagnosticRule struct {
	name      string // of its golden file
	matches   func(attempt, error) bool
	summary   string // without IDs, so that many errors of a kind read alike
	attribute string // at fault; empty: none
	nextStep  func(attempt, error) string
}

// is matches an error of a type.
func is[E error](_ attempt, err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// which matches an error of a type that meets a condition.
func which[E error](condition func(E) bool) func(attempt, error) bool {
	return func(_ attempt, err error) bool {
		e, ok := errors.AsType[E](err)
		return ok && condition(e)
	}
}

// meets matches an error by a predicate, such as those of package fusebill.
func meets(predicate func(error) bool) func(attempt, error) bool {
	return func(_ attempt, err error) bool { return predicate(err) }
}

// always is a next step that does not depend on the error.
func always(text string) func(attempt, error) string {
	return func(attempt, error) string { return text }
}

// using is a next step that depends on an error of a type.
func using[E error](nextStep func(E) string) func(attempt, error) string {
	return func(_ attempt, err error) string {
		e, _ := errors.AsType[E](err)
		return nextStep(e)
	}
}

// importBlock is configuration to paste, for Terraform 1.5 or later.
func importBlock(customerID int64) string {
	return fmt.Sprintf("  import {\n    to = fusebill_hubspot_latch.example\n    id = \"%d\"\n  }", customerID)
}

// latchArguments are the arguments of a resource that declares a latch, aligned as by terraform
// fmt.
func latchArguments(l fusebill.Latch) string {
	contact := fmt.Sprintf("hubspot_id = %d", l.HubSpotID)
	company := fmt.Sprintf("hubspot_company_id = %d", l.HubSpotCompanyID)
	switch {
	case l.HubSpotCompanyID == 0:
		return "  " + contact
	case l.HubSpotID == 0:
		return "  " + company
	default:
		return "  " + strings.Replace(contact, " =", "         =", 1) + "\n  " + company
	}
}

// sentence returns an error as a sentence.
func sentence(err error) string {
	text := err.Error()
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + withFullStop(text[size:])
}

// withFullStop ends a text with one full stop, which may stand within quotation marks.
func withFullStop(text string) string {
	if strings.HasSuffix(text, `."`) {
		return text
	}
	return strings.TrimSuffix(text, ".") + "."
}
