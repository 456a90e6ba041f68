package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// The tests in this file parse URLs of HubSpot records. They check that each form of such a URL is
// read with all digits, that any other string is an error on the argument that explains the fault,
// and that null is refused and an unknown argument has an unknown result.

func TestParseHubSpotURL(t *testing.T) {
	t.Parallel()
	contact, company := hubSpotRecord{"6246015", "contact", "101"}, hubSpotRecord{"6246015", "company", "202"}
	for text, want := range map[string]hubSpotRecord{
		"https://app.hubspot.com/contacts/6246015/contact/101":                     contact,
		"https://app.hubspot.com/contacts/6246015/contact/101/":                    contact,
		"https://app.hubspot.com/contacts/6246015/contact/101//":                   contact,
		"https://app.hubspot.com/contacts/6246015/contact/101?interaction=note":    contact,
		"https://app.hubspot.com/contacts/6246015/contact/101/?a=/company/202":     contact,
		"https://app.hubspot.com/contacts/6246015/contact/101#/company/202":        contact,
		"https://app.hubspot.com/contacts/6246015/contact/101/tab/overview/1":      contact,
		"https://app.hubspot.com/contacts/6246015/company/202":                     company,
		"https://app.hubspot.com/contacts/6246015/company/202/view/1?engagement=7": company,
		"https://app.hubspot.com/contacts/6246015/record/0-1/101":                  contact,
		"https://app.hubspot.com/contacts/6246015/record/0-1/101/view/1?a=b#c":     contact,
		"https://app.hubspot.com/contacts/6246015/record/0-2/202/":                 company,
		"https://app-eu1.hubspot.com/contacts/6246015/record/0-2/202":              company,
		"https://app-na2.hubspot.com/contacts/6246015/company/202":                 company,
		"http://app.hubspot.com/contacts/6246015/contact/101":                      contact,
		"HTTPS://App-EU1.HubSpot.COM/contacts/6246015/contact/101":                 contact,
		" \t\r\nhttps://app.hubspot.com/contacts/6246015/contact/101\u00a0\n":      contact,
		"https://app.hubspot.com/contacts/1/contact/9007199254740993":              {"1", "contact", "9007199254740993"},
		"https://app.hubspot.com/contacts/9007199254740993/record/0-2/9223372036854775807": {
			"9007199254740993", "company", "9223372036854775807",
		},
	} {
		got, err := parseHubSpotURL(text)
		if err != nil || got != want {
			t.Errorf("parseHubSpotURL(%q) = %+v, %v, want %+v", text, got, err, want)
		}
	}
}

func TestParseHubSpotURL_refusesOtherURLs(t *testing.T) {
	t.Parallel()
	const (
		noURL  = "it is not a URL that begins with https://"
		host   = "its host is not app.hubspot.com or that of a region, such as app-eu1.hubspot.com"
		record = "its path is not that of a record"
		noID   = "there is no ID of a contact in it"
		// neither is the end of the reason for a record of another type.
		neither = "which is neither a contact (contact, 0-1) nor a company (company, 0-2)"
	)
	for text, fault := range map[string]string{
		"":    noURL,
		"101": noURL,
		"app.hubspot.com/contacts/6246015/contact/101":                         noURL,
		"//app.hubspot.com/contacts/6246015/contact/101":                       noURL,
		"ftp://app.hubspot.com/contacts/6246015/contact/101":                   noURL,
		"https://app.hubspot.com/contacts/6246015/contact/101%zz":              noURL,
		"https://app.hubspot.com/contacts/6246015/contact/101\x00":             noURL,
		"https:app.hubspot.com/contacts/6246015/contact/101":                   host,
		"https:///contacts/6246015/contact/101":                                host,
		"https://app.hubspot.com.evil.com/contacts/6246015/contact/101":        host,
		"https://evil.com/app.hubspot.com/contacts/6246015/contact/101":        host,
		"https://app.hubspot.com@evil.com/contacts/6246015/contact/101":        host,
		"https://somebody@app.hubspot.com/contacts/6246015/contact/101":        host,
		"https://app.hubspot.com:8443/contacts/6246015/contact/101":            host,
		"https://app.hubspot.com./contacts/6246015/contact/101":                host,
		"https://app-.hubspot.com/contacts/6246015/contact/101":                host,
		"https://app-eu1.evil.hubspot.com/contacts/6246015/contact/101":        host,
		"https://appxhubspot.com/contacts/6246015/contact/101":                 host,
		"https://api.hubspot.com/contacts/6246015/contact/101":                 host,
		"https://app.hubspot.com":                                              record,
		"https://app.hubspot.com/contacts/6246015":                             record,
		"https://app.hubspot.com/contacts/6246015/":                            record,
		"https://app.hubspot.com/reports/6246015/contact/101":                  record,
		"https://app.hubspot.com/x/contacts/6246015/contact/101":               record,
		"https://app.hubspot.com/contacts%2F6246015/contact/101":               record,
		"https://app.hubspot.com/contacts/6246015/record/0-3/55":               `it is of "0-3", ` + neither,
		"https://app.hubspot.com/contacts/6246015/deal/55":                     `it is of "deal", which is neither`,
		"https://app.hubspot.com/contacts/6246015/record/0-11/101":             `it is of "0-11", which is neither`,
		"https://app.hubspot.com/contacts/6246015/objects/0-1/views/all":       `it is of "objects", which is neither`,
		"https://app.hubspot.com/contacts/6246015/record":                      `it is of "", which is neither`,
		"https://app.hubspot.com/contacts/6246015/contact":                     noID,
		"https://app.hubspot.com/contacts/6246015/contact/":                    noID,
		"https://app.hubspot.com/contacts/6246015/contact//101":                noID,
		"https://app.hubspot.com/contacts/6246015/contact?id=101":              noID,
		"https://app.hubspot.com/contacts/6246015/record/0-1":                  noID,
		"https://app.hubspot.com/contacts/6246015/record/0-2/":                 "there is no ID of a company in it",
		"https://app.hubspot.com/contacts//contact/101":                        `its portal is "", which is not an ID: a whole number from 1 to 9223372036854775807`,
		"https://app.hubspot.com/contacts/mine/contact/101":                    `its portal is "mine", which is not an ID`,
		"https://app.hubspot.com/contacts/0/contact/101":                       `its portal is "0"`,
		"https://app.hubspot.com/contacts/6246015/contact/list":                `its contact is "list", which is not an ID`,
		"https://app.hubspot.com/contacts/6246015/contact/0":                   `its contact is "0"`,
		"https://app.hubspot.com/contacts/6246015/contact/-101":                `its contact is "-101"`,
		"https://app.hubspot.com/contacts/6246015/contact/+101":                `its contact is "+101"`,
		"https://app.hubspot.com/contacts/6246015/contact/1e3":                 `its contact is "1e3"`,
		"https://app.hubspot.com/contacts/6246015/contact/101.0":               `its contact is "101.0"`,
		"https://app.hubspot.com/contacts/6246015/contact/101%2F5":             `its contact is "101%2F5"`,
		"https://app.hubspot.com/contacts/6246015/contact/１０１":                 `its contact is "%EF%BC%91`,
		"https://app.hubspot.com/contacts/6246015/company/9223372036854775808": `its company is "9223372036854775808", which is not an ID`,
	} {
		record, err := parseHubSpotURL(text)
		if err == nil || record != (hubSpotRecord{}) {
			t.Errorf("parseHubSpotURL(%q) = %+v, %v, want only an error", text, record, err)
			continue
		}
		wanted := fmt.Sprintf("the URL of a HubSpot contact or company is wanted, "+
			"such as https://app.hubspot.com/contacts/6246015/contact/101 "+
			"or https://app.hubspot.com/contacts/6246015/record/0-2/202, not %q: %s", text, fault)
		if !strings.HasPrefix(err.Error(), wanted) {
			t.Errorf("parseHubSpotURL(%q): %v\nwant %s", text, err, wanted)
		}
	}
}

// FuzzParseHubSpotURL checks that a URL is either refused, or read as the same record as the
// canonical URL of that record.
func FuzzParseHubSpotURL(f *testing.F) {
	for _, text := range []string{
		"", "101", "https://app.hubspot.com/contacts/6246015/contact/101/",
		"https://app-eu1.hubspot.com/contacts/1/record/0-2/202?a#b",
		" HTTP://APP.hubspot.com/contacts/9007199254740993/company/9223372036854775807/view/1",
		"https://app.hubspot.com/contacts/1/record/0-3/5",
		"https://app.hubspot.com/contacts/1/contact/9223372036854775808",
		"https://app.hubspot.com/contacts/%31/contact/%2F", "https://[::1",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		record, err := parseHubSpotURL(text)
		if err != nil {
			if record != (hubSpotRecord{}) {
				t.Errorf("%q: got %+v and the error %v, want only one of them", text, record, err)
			}
			return
		}
		_, isPortal := parseID(record.PortalID)
		_, isID := parseID(record.ID)
		if !isPortal || !isID {
			t.Errorf("%q: got %+v, want IDs or an error", text, record)
		}
		canonical := fmt.Sprintf("https://app.hubspot.com/contacts/%s/%s/%s", record.PortalID, record.ObjectType, record.ID)
		if again, err := parseHubSpotURL(canonical); again != record || err != nil {
			t.Errorf("%q: got %+v, but for its canonical URL %s got %+v, %v", text, record, canonical, again, err)
		}
		if !strings.Contains(text, record.ID) || !strings.Contains(text, record.PortalID) {
			t.Errorf("%q: got %+v, whose IDs are not in the URL", text, record)
		}
	})
}

// The function is called without a CLI, as old CLIs cannot call functions.
func TestProtocol_parseHubSpotURL(t *testing.T) {
	t.Parallel()
	p := acctest.NewProtocol(t, acctest.SimulatorWith())
	record := tftypes.Object{AttributeTypes: map[string]tftypes.Type{
		"portal_id": tftypes.String, "object_type": tftypes.String, "id": tftypes.String,
	}}
	call := func(argument string) *tfprotov6.CallFunctionResponse {
		t.Helper()
		resp, err := p.Server.CallFunction(t.Context(), &tfprotov6.CallFunctionRequest{
			Name: "parse_hubspot_url", Arguments: []*tfprotov6.DynamicValue{
				p.Encode(tftypes.String, tftypes.NewValue(tftypes.String, argument)),
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	resp := call("https://app.hubspot.com/contacts/9007199254740995/record/0-1/9007199254740993")
	if resp.Error != nil {
		t.Fatal(resp.Error.Text)
	}
	got, err := resp.Result.Unmarshal(record)
	if err != nil {
		t.Fatal(err)
	}
	want := acctest.Object(record, map[string]tftypes.Value{
		"portal_id":   tftypes.NewValue(tftypes.String, "9007199254740995"),
		"object_type": tftypes.NewValue(tftypes.String, "contact"),
		"id":          tftypes.NewValue(tftypes.String, "9007199254740993"),
	})
	if !got.Equal(want) {
		t.Errorf("got %s, want %s", got, want)
	}
	resp = call("https://example.com")
	if resp.Error == nil || resp.Error.FunctionArgument == nil || *resp.Error.FunctionArgument != 0 {
		t.Errorf("got the error %+v, want one on the argument", resp.Error)
	}
}

func TestAccParseHubSpotURL(t *testing.T) {
	a := acctest.AccountWith(t)
	result := func(url string) string {
		return acctest.Block(`output "record"`, "value = provider::fusebill::parse_hubspot_url("+url+")")
	}
	source := func(url string) string {
		return acctest.Block(`resource "terraform_data" "source"`, fmt.Sprintf("input = %q", url))
	}
	is := func(portalID, objectType, id string) []statecheck.StateCheck {
		text := knownvalue.StringExact
		return []statecheck.StateCheck{statecheck.ExpectKnownOutputValue("record",
			knownvalue.ObjectExact(map[string]knownvalue.Check{
				"portal_id": text(portalID), "object_type": text(objectType), "id": text(id),
			}))}
	}
	const regional = "https://app-eu1.hubspot.com/contacts/6246015/company/9007199254740993"
	acctest.Needs(t, "functions of providers", tfversion.SkipBelow(tfversion.Version1_8_0),
		acctest.Refused(a.With(result("null")), acctest.Diagnosis("Invalid function argument", "",
			`Invalid value for "url" parameter: argument must not be null`)),
		acctest.Refused(a.With(result(`"https://app.hubspot.com/contacts/6246015/record/0-3/55"`)), acctest.Diagnosis(
			"Invalid function argument", "",
			`Invalid value for "url" parameter: The URL of a HubSpot contact or company is wanted, such as`,
			`not "https://app.hubspot.com/contacts/6246015/record/0-3/55": it is of "0-3", which is neither a contact`)),
		resource.TestStep{
			Config:            a.With(result(`"https://app.hubspot.com/contacts/9007199254740995/record/0-1/101/view/1?a=b"`)),
			ConfigStateChecks: is("9007199254740995", "contact", "101"),
		},
		resource.TestStep{
			Config: a.With(source(regional), result("terraform_data.source.output")),
			ConfigPlanChecks: resource.ConfigPlanChecks{
				PreApply: []plancheck.PlanCheck{plancheck.ExpectUnknownOutputValue("record")},
			},
			ConfigStateChecks: is("6246015", "company", "9007199254740993"),
		},
	)
	if n := a.Count(); n > 0 {
		t.Errorf("%d calls were made: %v", n, a.Calls())
	}
}
