package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The matching itself is tested in package spreadsheet.

var customerToMatch = tftypes.Object{AttributeTypes: map[string]tftypes.Type{
	"id": tftypes.String, "reference": tftypes.String, "company_name": tftypes.String, "primary_email": tftypes.String,
}}

// customersArgument is the argument customers, of IDs and email addresses.
func customersArgument(idsAndEmails ...string) tftypes.Value {
	null := tftypes.NewValue(tftypes.String, nil)
	customers := []tftypes.Value{}
	for i := 0; i < len(idsAndEmails); i += 2 {
		customers = append(customers, tftypes.NewValue(customerToMatch, map[string]tftypes.Value{
			"id": stringArgument(idsAndEmails[i]), "primary_email": stringArgument(idsAndEmails[i+1]),
			"reference": null, "company_name": null,
		}))
	}
	return tftypes.NewValue(tftypes.List{ElementType: customerToMatch}, customers)
}

func TestProtocol_matchHubSpotExport(t *testing.T) {
	t.Parallel()
	p := acctest.NewProtocol(t, acctest.SimulatorWith())
	list := tftypes.List{ElementType: tftypes.String}
	one, many := tftypes.Map{ElementType: tftypes.String}, tftypes.Map{ElementType: list}
	result := tftypes.Object{AttributeTypes: map[string]tftypes.Type{
		"matches": one, "unmatched": list, "ambiguous": many, "contested": many, "record_names": one,
	}}
	resp := callFunction(t, p.Server, "match_hubspot_export",
		customersArgument("1", "ann@example.com", "2", "bob@example.com"),
		stringArgument("Record ID,Email\n11,Ann@example.com\n"), stringArgument("primary_email = Email"))
	if resp.Error != nil {
		t.Fatal(resp.Error.Text)
	}
	got, err := resp.Result.Unmarshal(result)
	if err != nil {
		t.Fatal(err)
	}
	want := tftypes.NewValue(result, map[string]tftypes.Value{
		"matches":      tftypes.NewValue(one, map[string]tftypes.Value{"1": stringArgument("11")}),
		"unmatched":    tftypes.NewValue(list, []tftypes.Value{stringArgument("2")}),
		"ambiguous":    tftypes.NewValue(many, map[string]tftypes.Value{}),
		"contested":    tftypes.NewValue(many, map[string]tftypes.Value{}),
		"record_names": tftypes.NewValue(one, map[string]tftypes.Value{"11": stringArgument("Ann@example.com")}),
	})
	if !got.Equal(want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestProtocol_matchHubSpotExport_refused(t *testing.T) {
	t.Parallel()
	p := acctest.NewProtocol(t, acctest.SimulatorWith())
	const export, rule = "Record ID,Email\n11,ann@example.com\n", "primary_email = Email"
	customers := []string{"1", "ann@example.com"}
	for name, test := range map[string]struct {
		customers []string
		export    string
		rules     []string
		argument  int64 // -1: none
	}{
		"no_rule":           {customers, export, nil, -1},
		"rule":              {customers, export, []string{rule, "email = Email"}, 3},
		"customer_twice":    {[]string{"1", "", "2", "", "1", ""}, export, []string{rule}, 0},
		"customer_id":       {[]string{"1", "", "1.5", ""}, export, []string{rule}, 0},
		"no_record_id":      {customers, "Email;First Name\nann@example.com;Ann\n", []string{rule}, 1},
		"no_column_of_rule": {customers, export, []string{"primary_email = Work email", rule}, 1},
		"record_id_columns": {customers, "Record ID,hs_object_id,Email\n11,11,\n", []string{rule}, 1},
		"columns_of_rule":   {customers, "Record ID,Email,E-mail\n11,,\n", []string{rule}, 1},
		"header_only":       {customers, "Record ID,Email\n", []string{rule}, 1},
		"record_ids": {
			customers, "Record ID,Email\n1.1E+10,\n,ann@example.com\n12,\n12,\n" + contactURL + ",\n", []string{rule}, 1,
		},
		"record_not_in_line": {customers, "Record ID,Email\n11,\"ann@example.com\n", []string{rule}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arguments := []tftypes.Value{customersArgument(test.customers...), stringArgument(test.export)}
			for _, rule := range test.rules {
				arguments = append(arguments, stringArgument(rule))
			}
			resp := callFunction(t, p.Server, "match_hubspot_export", arguments...)
			if resp.Error == nil {
				t.Fatal("the call succeeded")
			}
			argument := int64(-1)
			if resp.Error.FunctionArgument != nil {
				argument = *resp.Error.FunctionArgument
			}
			if argument != test.argument {
				t.Errorf("the error is about argument %d, want %d", argument, test.argument)
			}
			isGolden(t, "match_hubspot_export/"+name, resp.Error.Text)
		})
	}
}

func TestAccMatchHubSpotExport(t *testing.T) {
	a := acctest.NewAccount(t, fusebillsim.Customer{ID: 2554529, CompanyName: "Stolen Bikes"},
		fusebillsim.Customer{ID: 2554530, CompanyName: "Brown Coffee", PrimaryEmail: "ann@example.com"})
	result := func(more string) string {
		return a.With(acctest.Block(`data "fusebill_customers" "all"`),
			acctest.Block("locals", `export = "Record ID,Email\n101,ANN@example.com\n"`),
			acctest.Block(`output "match"`, `value = provider::fusebill::match_hubspot_export(`+
				`data.fusebill_customers.all.customers, local.export`+more+")"))
	}
	is := func(want map[string]knownvalue.Check) []statecheck.StateCheck {
		return []statecheck.StateCheck{statecheck.ExpectKnownOutputValue("match", knownvalue.ObjectExact(want))}
	}
	none := knownvalue.MapExact(map[string]knownvalue.Check{})
	acctest.Needs(t, "functions of providers", tfversion.SkipBelow(tfversion.Version1_8_0),
		acctest.Refused(result(`, "primary_email = Mail"`), acctest.Diagnosis("Invalid function argument", "",
			`Invalid value for "export" parameter: The file has no column Mail; it has "Record ID", "Email".`)),
		acctest.Refused(result(`, "email = Email"`), acctest.Diagnosis("Invalid function argument", "",
			`Invalid value for "rules" parameter: "email = Email" is not a rule.`)),
		resource.TestStep{
			Config: result(`, "primary_email = Email"`),
			ConfigStateChecks: is(map[string]knownvalue.Check{
				"matches":   knownvalue.MapExact(map[string]knownvalue.Check{"2554530": knownvalue.StringExact("101")}),
				"unmatched": knownvalue.ListExact([]knownvalue.Check{knownvalue.StringExact("2554529")}),
				"ambiguous": none, "contested": none,
				"record_names": knownvalue.MapExact(map[string]knownvalue.Check{"101": knownvalue.StringExact("ANN@example.com")}),
			}),
		},
	)
}

func BenchmarkMatchHubSpotExport(b *testing.B) {
	var customers []string
	var export strings.Builder
	export.WriteString("Record ID,First Name,Last Name,Email,Customer number\n")
	for i := range 6000 {
		if i < 5000 {
			customers = append(customers, fmt.Sprint(2000000+i), fmt.Sprintf("ann%d@example.com", i))
		}
		fmt.Fprintf(&export, "%d,Ann,Brown,ANN%d@example.com,C-%d\n", 10000000000+i, i, i)
	}
	arguments := []tftypes.Value{
		customersArgument(customers...), stringArgument(export.String()),
		stringArgument("reference = Customer number"), stringArgument("primary_email = Email"),
	}
	server := NewServer("bench")()
	b.ReportAllocs()
	for b.Loop() {
		if resp := callFunction(b, server, "match_hubspot_export", arguments...); resp.Error != nil {
			b.Fatal(resp.Error.Text)
		}
	}
}
