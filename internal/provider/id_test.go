package provider

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

const (
	contactURL = "https://app.hubspot.com/contacts/6246015/record/0-1/101/view/1?a=b"
	companyURL = "https://app-eu1.hubspot.com/contacts/6246015/company/202"
)

// wrongIDs are strings that are no ID of any kind.
var wrongIDs = []string{
	"1.23457E+10", "1,23457e10", "101.5", "0101", "12345678901234567890", "9223372036854775808",
	"101 ", "\t101\n", "+101", "-101", "0", "", " ", "1 234", "2,554,529", "0x1F", "１０１", "ACME-1", "11/101",
	"https://secure.fusebill.com/#/customers/2554529", "app.hubspot.com/contacts/6246015/contact/list",
	"https://app.hubspot.com/contacts/6246015/record/0-3/55", contactURL, companyURL, "null", "\x00\xff",
}

func TestIDFault(t *testing.T) {
	t.Parallel()
	const (
		export        = "Format the column as a number without decimals and separators, and export the data again."
		customerPlace = "The ID of a customer is the number in the URL of its page in Fusebill, such as 2554529."
		contactPlace  = "The ID of a contact is the number after contact/ or record/0-1/ in the URL of its page in HubSpot."
		companyPlace  = "The ID of a company is the number after company/ or record/0-2/ in the URL of its page in HubSpot."
		parse         = "In Terraform 1.8 or later, provider::fusebill::parse_hubspot_url(url).id reads it from the URL."
	)
	for name, test := range map[string]struct {
		text             string
		kind             idKind
		reason, nextStep string // without the sentence that is the same for all
	}{
		"rounded by a spreadsheet": {
			"1.23457E+10", idOfContact,
			"it was rounded, as spreadsheets do with large numbers, and its last digits may be lost", export,
		},
		"rounded by a program": {
			"1e3", idOfCustomer,
			"it was rounded, as spreadsheets do with large numbers, and its last digits may be lost", export,
		},
		"decimals":              {"101.5", idOfCompany, "it has decimals, or separators between its digits", export},
		"decimals of zero":      {"101.0", idOfContact, "it has decimals, or separators between its digits", export},
		"thousands":             {"2,554,529", idOfCustomer, "it has decimals, or separators between its digits", export},
		"leading zeros":         {"0101", idOfContact, "it has leading zeros", `Use "101" instead.`},
		"zeros and white space": {" 0101", idOfContact, "it has leading zeros", `Use "101" instead.`},
		"20 digits": {
			"12345678901234567890", idOfCustomer, "it is larger than the largest ID, 9223372036854775807",
			"Check that it is one ID only, with no digit too many. " + customerPlace,
		},
		"white space": {
			"2554529 ", idOfCustomer, "it has white space around it",
			`Use "2554529" instead. In an expression, trimspace() removes white space.`,
		},
		"plus":           {"+101", idOfContact, "it has a sign", `Use "101" instead.`},
		"minus":          {"-101", idOfContact, "it is not 1 or more", contactPlace},
		"zero":           {"0", idOfCompany, "it is not 1 or more", companyPlace},
		"empty":          {"", idOfContact, "it is empty", "Leave it out, or set it to null, where there is no contact."},
		"blank":          {" ", idOfCompany, "it is empty", "Leave it out, or set it to null, where there is no company."},
		"empty customer": {"", idOfCustomer, "it is empty", customerPlace},
		"contact's URL for a contact": {
			contactURL, idOfContact, "it is the URL of a HubSpot contact",
			`Use the ID in it, "101". ` + parse,
		},
		"URL without its scheme": {
			strings.TrimPrefix(companyURL, "https://"), idOfCompany, "it is the URL of a HubSpot company",
			`Use the ID in it, "202". ` + parse,
		},
		"contact's URL for a company": {
			contactURL, idOfCompany, "it is the URL of a HubSpot contact",
			"Declare 101 as hubspot_id, and the ID of the company here. " + companyPlace,
		},
		"company's URL for a customer": {
			companyURL, idOfCustomer, "it is the URL of a HubSpot company",
			"Declare 202 as hubspot_company_id, and the ID of the customer here. " + customerPlace,
		},
		"another URL": {
			"https://app.hubspot.com/contacts/6246015/record/0-3/55", idOfContact, "it is a URL", contactPlace,
		},
		"reference of a customer": {
			`A "${x}" %{y} \ 1`, idOfCustomer, "it is not a whole number, and may be a reference",
			"Use the customer's ID, not its reference. To look up the ID of the customer with this reference:\n\n" +
				"  data \"fusebill_customer\" \"example\" {\n    reference = \"A \\\"$${x}\\\" %%{y} \\\\ 1\"\n  }\n\n" +
				"The ID is data.fusebill_customer.example.id.",
		},
		"letters for a contact":         {"ann@example.com", idOfContact, "it is not a whole number", contactPlace},
		"what cannot be shown as it is": {"11\x00", idOfCustomer, "it is not a whole number", customerPlace},
		"digits of another writing":     {"１０１", idOfCompany, "it is not a whole number", companyPlace},
		"white space between digits":    {"1 234", idOfCompany, "it has decimals, or separators between its digits", export},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			what := map[idKind]string{
				idOfCustomer: "Fusebill customer", idOfContact: "HubSpot contact", idOfCompany: "HubSpot company",
			}[test.kind]
			want := quoteStart(test.text) + " is not the ID of a " + what + ": " + test.reason + ".\n\n" + test.nextStep
			if got := idFault(test.text, test.kind); got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

// A string that is not an ID may be a whole file. The message quotes only its start.
func TestIDFault_quotesTheStartOfALongString(t *testing.T) {
	t.Parallel()
	for _, character := range []string{"9", "é", "\xff"} {
		text := strings.Repeat(character, 1e6)
		if fault := idFault(text, idOfContact); len(fault) > 2000 || !strings.Contains(fault, "…") {
			t.Errorf("%d bytes: %.300s", len(fault), fault)
		}
	}
}

func TestIDFault_acceptsIDs(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"1", "101", "2554529", "9007199254740993", "9223372036854775807"} {
		if fault := idFault(text, idOfContact); fault != "" {
			t.Error(fault)
		}
		if id, ok := parseID(text); !ok || formatID(id) != text {
			t.Errorf("%q is read as %d, %t", text, id, ok)
		}
	}
}

func TestIDValidator(t *testing.T) {
	t.Parallel()
	at := path.Root("hubspot_id")
	accepted := []types.String{types.StringNull(), types.StringUnknown(), types.StringValue("9007199254740993")}
	for _, value := range accepted {
		var resp validator.StringResponse
		idValidator{idOfContact}.ValidateString(t.Context(), validator.StringRequest{Path: at, ConfigValue: value}, &resp)
		if len(resp.Diagnostics) > 0 {
			t.Errorf("%s: %v", value, resp.Diagnostics)
		}
	}
	var resp validator.StringResponse
	req := validator.StringRequest{Path: at, ConfigValue: types.StringValue("0101")}
	idValidator{idOfContact}.ValidateString(t.Context(), req, &resp)
	if len(resp.Diagnostics) != 1 || resp.Diagnostics[0].Summary() != "Invalid HubSpot contact ID" {
		t.Errorf("%v", resp.Diagnostics)
	}
}

// FuzzID checks that a string is either an ID, or refused with a text that a CLI can print.
func FuzzID(f *testing.F) {
	for _, text := range append(wrongIDs, "101", "9007199254740993", "9223372036854775807") {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, ok := parseID(text)
		if ok && (id < 1 || formatID(id) != text) || !ok && id != 0 {
			t.Errorf("%q is read as %d, %t", text, id, ok)
		}
		for _, kind := range []idKind{idOfCustomer, idOfContact, idOfCompany} {
			fault := idFault(text, kind)
			if (fault == "") != ok {
				t.Errorf("%q is read as %d, %t, with the fault %q", text, id, ok, fault)
			}
			if !utf8.ValidString(fault) || strings.Contains(fault, "\x00") {
				t.Errorf("%q: the fault cannot be shown: %q", text, fault)
			}
			if _, advice, found := strings.Cut(fault, ".\n\nUse \""); found {
				if id, _, _ := strings.Cut(advice, `"`); idFault(id, kind) != "" {
					t.Errorf("%q: the advice is not an ID: %s", text, fault)
				}
			}
		}
	})
}
