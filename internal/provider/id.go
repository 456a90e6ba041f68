package provider

import (
	"context"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// IDs are strings in every schema. Terraform converts a number before the provider sees it: it
// would accept 1.23457E+10, and report 101.5 as an error in the provider.

// idForm describes the form of an ID. Each ID has only one form, so two different strings are two
// different IDs.
const idForm = "a whole number of 1 or more, without leading zeros or white space"

// idNote is a part of the description of each argument that is an ID.
const idNote = " A whole number of 1 or more, as a string. Terraform converts numbers."

// idKind is the kind of object that an ID belongs to. The kinds of HubSpot objects are also the
// values of ObjectType in [hubSpotRecord].
type idKind string

const (
	idOfCustomer idKind = "customer"
	idOfContact  idKind = "contact"
	idOfCompany  idKind = "company"
)

// parseID reads an ID. It reports false for a string that does not have the form of an ID.
func parseID(text string) (int64, bool) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 || formatID(id) != text {
		return 0, false
	}
	return id, true
}

func formatID(id int64) string { return strconv.FormatInt(id, 10) }

// idOrNull returns an ID as the value of an attribute, or null for 0.
func idOrNull(id int64) types.String {
	if id == 0 {
		return types.StringNull()
	}
	return types.StringValue(formatID(id))
}

// idIn returns the ID of an attribute, or 0 if the attribute is null, unknown or not an ID.
func idIn(value types.String) int64 {
	id, _ := parseID(value.ValueString())
	return id
}

// idValidator refuses a string that is not an ID.
type idValidator struct {
	kind idKind
}

var _ validator.String = idValidator{}

func (v idValidator) Description(context.Context) string { return "must be " + idForm }

func (v idValidator) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v idValidator) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	resp.Diagnostics.Append(v.kind.check(req.Path, req.ConfigValue)...)
}

// check returns an error on a path if a value is not an ID. It accepts null and unknown values.
func (k idKind) check(at path.Path, value types.String) diag.Diagnostics {
	if fault := idFault(value.ValueString(), k); fault != "" && isKnown(value) {
		return diag.Diagnostics{diag.NewAttributeErrorDiagnostic(at, k.summary(), fault)}
	}
	return nil
}

// summary returns the summary of the error for a string that is not an ID of this kind.
func (k idKind) summary() string { return "Invalid " + k.system() + " " + string(k) + " ID" }

func (k idKind) system() string {
	if k == idOfCustomer {
		return "Fusebill"
	}
	return "HubSpot"
}

// idFault explains why a string is not an ID, and what to do. It returns an empty string for an ID.
func idFault(text string, kind idKind) string {
	if _, ok := parseID(text); ok {
		return ""
	}
	reason, nextStep := kind.explain(text)
	return fmt.Sprintf("%s is not the ID of a %s %s: %s.\n\n%s", quoteStart(text), kind.system(), kind, reason, nextStep)
}

var (
	// exponential matches a number in scientific notation, which spreadsheets use for large
	// numbers.
	exponential = regexp.MustCompile(`^[+-]?[0-9]+([.,][0-9]*)?[eE][+-]?[0-9]+$`)
	// separated matches digits with a decimal point, or with the separators of any language.
	separated = regexp.MustCompile(`^[+-]?[0-9.,'’_\s\x{a0}\x{202f}]*[0-9][0-9.,'’_\s\x{a0}\x{202f}]*$`)
	signed    = regexp.MustCompile(`^[+-][0-9]+$`)
	digits    = regexp.MustCompile(`^[0-9]+$`)
)

func (k idKind) explain(text string) (reason, nextStep string) {
	const (
		use    = "Use %q instead."
		export = "Format the column as a number without decimals and separators, and export the data again."
	)
	trimmed := strings.TrimSpace(text)
	bare := strings.TrimLeft(trimmed, "+0")
	_, isBareID := parseID(bare)
	switch {
	case trimmed == "" && k == idOfCustomer:
		return "it is empty", k.place()
	case trimmed == "":
		return "it is empty", "Leave it out, or set it to null, where there is no " + string(k) + "."
	case bare == trimmed && isBareID:
		return "it has white space around it", fmt.Sprintf(use, bare) + " In an expression, trimspace() removes white space."
	case exponential.MatchString(trimmed):
		return "it was rounded, as spreadsheets do with large numbers, and its last digits may be lost", export
	case signed.MatchString(trimmed):
		if trimmed[0] == '+' && isBareID {
			return "it has a sign", fmt.Sprintf(use, bare)
		}
		return "it is not 1 or more", k.place()
	case digits.MatchString(trimmed):
		switch {
		case bare == "":
			return "it is not 1 or more", k.place()
		case isBareID:
			return "it has leading zeros", fmt.Sprintf(use, bare)
		}
		return fmt.Sprintf("it is larger than the largest ID, %d", int64(math.MaxInt64)),
			"Check that it is one ID only, with no digit too many. " + k.place()
	case separated.MatchString(trimmed):
		return "it has decimals, or separators between its digits", export
	case strings.Contains(trimmed, "://") || strings.Contains(trimmed, "hubspot.com/"):
		return k.explainURL(trimmed)
	case k == idOfCustomer && isPrintable(trimmed):
		return "it is not a whole number, and may be a reference", "Use the customer's ID, not its reference. " +
			"To look up the ID of the customer with this reference:\n\n" +
			"  data \"fusebill_customer\" \"example\" {\n    reference = " + quoteHCL(trimmed) + "\n  }\n\n" +
			"The ID is data.fusebill_customer.example.id."
	default:
		return "it is not a whole number", k.place()
	}
}

// explainURL explains that a URL is not an ID. It names the ID in the URL of a HubSpot record.
func (k idKind) explainURL(text string) (reason, nextStep string) {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	record, err := readHubSpotURL(text)
	if err != nil {
		return "it is a URL", k.place()
	}
	reason = "it is the URL of a HubSpot " + record.ObjectType
	if record.ObjectType == string(k) {
		return reason, fmt.Sprintf("Use the ID in it, %q. In Terraform 1.8 or later, "+
			"provider::fusebill::parse_hubspot_url(url).id reads it from the URL.", record.ID)
	}
	return reason, fmt.Sprintf("Declare %s as %s, and the ID of the %s here. %s",
		record.ID, idKind(record.ObjectType).argument(), k, k.place())
}

// argument returns the argument of a latch that is an ID of this kind.
func (k idKind) argument() string {
	switch k {
	case idOfContact:
		return "hubspot_id"
	case idOfCompany:
		return "hubspot_company_id"
	default:
		return "fusebill_id"
	}
}

// place returns a sentence that explains where to find an ID.
func (k idKind) place() string {
	if k == idOfCustomer {
		return "The ID of a customer is the number in the URL of its page in Fusebill, such as 2554529."
	}
	record := "record/0-1/"
	if k == idOfCompany {
		record = "record/0-2/"
	}
	return fmt.Sprintf("The ID of a %s is the number after %s/ or %s in the URL of its page in HubSpot.", k, k, record)
}

// quoteStart quotes a string, or the start of a long one.
func quoteStart(text string) string {
	const most = 200
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return strconv.Quote(text)
}

// isPrintable reports whether a string in HCL needs no other escapes than those of quotes,
// backslashes and templates.
func isPrintable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r == unicode.ReplacementChar || !strconv.IsPrint(r) })
}

// quoteHCL returns a printable string as an HCL literal.
func quoteHCL(text string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(strconv.Quote(text))
}
