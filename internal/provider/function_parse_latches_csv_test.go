package provider

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/spreadsheet"
)

func TestParseLatchesCSV(t *testing.T) {
	t.Parallel()
	want := spreadsheet.Latches{
		Contacts:  map[string]string{"2554529": "101", "2554531": "303"},
		Companies: map[string]string{"2554529": "202", "2554530": "9007199254740993"},
	}
	const plain = "fusebill_id,hubspot_id,hubspot_company_id,customer\n" +
		"2554529,101,202,Stolen Bikes\n2554530,,9007199254740993,Brown Coffee\n2554531,303,,Castillo Dental\n"
	for name, text := range map[string]string{
		"plain":                 plain,
		"no line end":           strings.TrimSuffix(plain, "\n"),
		"byte order mark":       "\ufeff" + plain,
		"semicolons":            strings.ReplaceAll(plain, ",", ";"),
		"tabs":                  strings.ReplaceAll(plain, ",", "\t"),
		"CRLF":                  strings.ReplaceAll(plain, "\n", "\r\n"),
		"CR":                    strings.ReplaceAll(plain, "\n", "\r"),
		"as Excel writes":       "\ufeff" + strings.NewReplacer(",", ";", "\n", "\r\n").Replace(plain),
		"blank lines":           "\n" + strings.ReplaceAll(plain, "\n", "\n\n ,,,\n"),
		"spaces around cells":   strings.ReplaceAll(plain, ",", " \u00a0, "),
		"spaces and tabs":       strings.ReplaceAll(plain, ",", " \t "),
		"spaces around quotes":  strings.NewReplacer("101", ` "101" `, "fusebill_id", ` "fusebill_id"`).Replace(plain),
		"tabs and quotes":       strings.NewReplacer(",", "\t", "101", `"101"`).Replace(plain),
		"missing cells":         strings.Replace(plain, ",303,,Castillo Dental", ",303", 1),
		"separator in quotes":   strings.Replace(plain, "Stolen Bikes", `"Bikes, ""Stolen"",`+"\r\n"+`and more"`, 1),
		"quotes inside a cell":  strings.Replace(plain, "Stolen Bikes", `5" Bikes`, 1),
		"separator in a header": strings.NewReplacer(",", ";", "customer", "name, first, last, any").Replace(plain),
		"another order": "note;hubspot_company_id;hubspot_id;fusebill_id\n" +
			";202;101;2554529\n;9007199254740993;;2554530\nx;;303;2554531\n",
		"other headers": strings.NewReplacer("fusebill_id", "Customer ID", "hubspot_id", "Contact-ID",
			"hubspot_company_id", "COMPANY ID").Replace(plain),
		"URLs": strings.NewReplacer("101", contactURL, "202", strings.TrimPrefix(companyURL, "https://")).
			Replace(plain),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseLatchesCSV(text)
			if err != nil || !gocmp.Equal(got, want) {
				t.Errorf("got %v, %v, want %v", got, err, want)
			}
		})
	}
}

// The map of a missing column is empty.
func TestParseLatchesCSV_oneColumn(t *testing.T) {
	t.Parallel()
	for column, want := range map[string]spreadsheet.Latches{
		"hubspot_id":         {Contacts: map[string]string{"1": "2"}, Companies: map[string]string{}},
		"hubspot_company_id": {Contacts: map[string]string{}, Companies: map[string]string{"1": "2"}},
	} {
		if got, err := parseLatchesCSV("fusebill_id," + column + "\n1,2\n"); err != nil || !gocmp.Equal(got, want) {
			t.Errorf("%s: got %v, %v, want %v", column, got, err, want)
		}
	}
}

// badFiles are invalid files. Their messages are in testdata.
func badFiles() map[string]string {
	const header = "fusebill_id,hubspot_id,hubspot_company_id\n"
	many := header
	for id := range 30 {
		many += fmt.Sprintf("%d,%d.5,\n", id+1, id+101)
	}
	many += "31,\"131"
	return map[string]string{
		"empty":                    " \n",
		"blank":                    "\ufeff,,\n,,\n",
		"header_only":              header,
		"header_and_blank_lines":   header + "\n,,\n",
		"no_customer_column":       "Record ID;Email;hubspot_id\n1;ann@example.com;101\n",
		"no_hubspot_column":        "fusebill_id;Email;;Record ID\n1;ann@example.com;;101\n",
		"another_separator":        strings.ReplaceAll(header, ",", "|") + "1|2|3\n",
		"column_twice":             "fusebill_id,hubspot_id,Customer ID\n1,2,3\n",
		"rounded":                  header + "2554529,1.23457E+10,\n2554530,\"1,23457E+10\",\n2.55453E+06,,9\n",
		"decimals":                 header + "2554529,101.5,\n2554530,102.0,203\n",
		"leading_zeros":            header + "2554529,0101,\n02554530,102,\n",
		"contact_url_of_a_company": header + "2554529," + contactURL + "," + contactURL + "\n",
		"company_url_of_a_contact": header + "2554529," + companyURL + "," + companyURL + "\n",
		"other_urls":               header + "2554529,https://app.hubspot.com/contacts/6246015/deal/55,\nhttps://x.test/1,5,\n",
		"customer_twice":           header + "2554529,101,\n2554530,102,\n2554529,,203\n",
		"contact_twice":            header + "2554529,101,\n2554530," + contactURL + ",\n",
		"company_twice":            header + "2554529,101,202\n\n2554530,,202\n",
		"no_id":                    header + "2554529,101,\n2554530,,\n",
		"no_customer":              header + ",101,\n",
		"reference":                header + "ACME-1,101,\n",
		"swapped_columns":          "hubspot_id,fusebill_id\nACME-1,ann@example.com\n",
		"shifted":                  "fusebill_id,customer,hubspot_id\n2554529,Stolen Bikes, Inc.,101\n2554530,Brown,102\n",
		"quote_not_closed":         header + "2554529,\"101,\n2554530,102,\n",
		"quote_inside":             header + "2554529,\"Big\" Ben,\n",
		"no_known_column":          "Kunde;Kontakt\n1;2\n",
		"line_ends_in_a_cell":      "fusebill_id,hubspot_id,customer\n1,2,\"a\r\nb\nc\rd\"\n3,4.5,\n",
		"many":                     many,
		"of_all_kinds": "customer;fusebill_id;hubspot_company_id;hubspot_id\r\nStolen Bikes;2554529;1.5;1E+10\r\n" +
			"Brown Coffee;2554529;;0101\r\n;;;\r\nCastillo Dental;;202;\r\nD;4;202;101;\r\nE;5;202;101\r\nF;6;202;101\r\n",
	}
}

func TestParseLatchesCSV_refused(t *testing.T) {
	t.Parallel()
	for name, text := range badFiles() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			latches, err := parseLatchesCSV(text)
			if err == nil || latches.Contacts != nil || latches.Companies != nil {
				t.Fatalf("got %v, %v, want an error alone", latches, err)
			}
			isGolden(t, "parse_latches_csv/"+name, argumentError(0, err).Text)
		})
	}
}

// FuzzParseLatchesCSV checks that a file is refused, or that other forms of it give the same
// latches.
func FuzzParseLatchesCSV(f *testing.F) {
	for _, text := range badFiles() {
		f.Add(text)
	}
	f.Add("\ufefffusebill_id;name;hubspot_id\r\n2554529;\"a;\"\"b\";101\r\n")
	f.Add("company id\tcustomer id\n" + companyURL + "\t\"1\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		latches, err := parseLatchesCSV(text)
		if err != nil {
			if lines := strings.Count(err.Error(), "\n"); lines > 300 {
				t.Errorf("%q: the error has %d lines", text, lines)
			}
			return
		}
		customers := map[string]bool{}
		for _, ids := range []map[string]string{latches.Contacts, latches.Companies} {
			held := map[string]bool{}
			for customerID, id := range ids {
				_, isCustomer := parseID(customerID)
				if _, isID := parseID(id); !isCustomer || !isID || held[id] || !strings.Contains(text, id) {
					t.Errorf("%q: customer %q has %q", text, customerID, id)
				}
				customers[customerID], held[id] = true, true
			}
		}
		if len(customers) == 0 {
			t.Errorf("%q: accepted without a latch", text)
		}
		for _, form := range []string{
			"%[2]s\t%[1]s\t%[3]s\r\n", "\"%[3]s\" ; \"%[1]s\" ; \"%[2]s\"\n\n", "%[1]s,%[2]s,%[3]s\r",
		} {
			again := fmt.Sprintf(form, "fusebill_id", "hubspot_id", "hubspot_company_id")
			for _, customerID := range slices.Sorted(maps.Keys(customers)) {
				again += fmt.Sprintf(form, customerID, latches.Contacts[customerID], latches.Companies[customerID])
			}
			if got, err := parseLatchesCSV(again); err != nil || !gocmp.Equal(got, latches) {
				t.Errorf("%q is read as %v, %v, want %v", again, got, err, latches)
			}
		}
	})
}

// callFunction calls a function of the provider without a CLI.
func callFunction(
	tb testing.TB, server tfprotov6.ProviderServer, name string, arguments ...tftypes.Value,
) *tfprotov6.CallFunctionResponse {
	tb.Helper()
	req := &tfprotov6.CallFunctionRequest{Name: name}
	for _, argument := range arguments {
		value, err := tfprotov6.NewDynamicValue(argument.Type(), argument)
		if err != nil {
			tb.Fatal(err)
		}
		req.Arguments = append(req.Arguments, &value)
	}
	resp, err := server.CallFunction(tb.Context(), req)
	if err != nil {
		tb.Fatal(err)
	}
	return resp
}

func stringArgument(value string) tftypes.Value { return tftypes.NewValue(tftypes.String, value) }

func TestProtocol_parseLatchesCSV(t *testing.T) {
	t.Parallel()
	p := acctest.NewProtocol(t, acctest.SimulatorWith())
	mapType := tftypes.Map{ElementType: tftypes.String}
	result := tftypes.Object{AttributeTypes: map[string]tftypes.Type{
		"hubspot_ids": mapType, "hubspot_company_ids": mapType,
	}}
	resp := callFunction(t, p.Server, "parse_latches_csv", stringArgument("fusebill_id,hubspot_id\n2554529,101\n"))
	if resp.Error != nil {
		t.Fatal(resp.Error.Text)
	}
	got, err := resp.Result.Unmarshal(result)
	if err != nil {
		t.Fatal(err)
	}
	want := tftypes.NewValue(result, map[string]tftypes.Value{
		"hubspot_ids":         tftypes.NewValue(mapType, map[string]tftypes.Value{"2554529": stringArgument("101")}),
		"hubspot_company_ids": tftypes.NewValue(mapType, map[string]tftypes.Value{}),
	})
	if !got.Equal(want) {
		t.Errorf("got %s, want %s", got, want)
	}
	resp = callFunction(t, p.Server, "parse_latches_csv", stringArgument("fusebill_id,hubspot_id\n"))
	if resp.Error == nil || resp.Error.FunctionArgument == nil || *resp.Error.FunctionArgument != 0 {
		t.Errorf("the error is not about the argument: %+v", resp.Error)
	}
}

func TestAccParseLatchesCSV(t *testing.T) {
	a := acctest.AccountWith(t)
	output := func(argument string) string {
		return acctest.Block(`output "latches"`, "value = provider::fusebill::parse_latches_csv("+argument+")")
	}
	is := func(want map[string]knownvalue.Check) []statecheck.StateCheck {
		return []statecheck.StateCheck{statecheck.ExpectKnownOutputValue("latches", knownvalue.ObjectExact(want))}
	}
	acctest.Needs(t, "functions of providers", tfversion.SkipBelow(tfversion.Version1_8_0),
		acctest.Refused(a.With(output("null")), acctest.Diagnosis("Invalid function argument", "",
			`Invalid value for "csv" parameter: argument must not be null`)),
		acctest.Refused(a.With(output(`"fusebill_id;hubspot_id\r\n1;1,5E+10\r\n2;\r\n"`)),
			acctest.Diagnosis("Invalid function argument", "", `Invalid value for "csv" parameter: The file has 2 errors:`,
				`Line 2, column B (hubspot_id): "1,5E+10" is not the ID of a HubSpot contact: it was rounded`,
				"Line 3: customer 2 has neither a contact nor a company.")),
		resource.TestStep{
			Config: a.With(output(`"\ufefffusebill_id;hubspot_id;hubspot_company_id\r\n1;;9007199254740993\r\n"`)),
			ConfigStateChecks: is(map[string]knownvalue.Check{
				"hubspot_ids": knownvalue.MapExact(map[string]knownvalue.Check{}),
				"hubspot_company_ids": knownvalue.MapExact(map[string]knownvalue.Check{
					"1": knownvalue.StringExact("9007199254740993"),
				}),
			}),
		},
	)
	if n := a.Count(); n > 0 {
		t.Errorf("%d calls were made: %v", n, a.Calls())
	}
}

func BenchmarkParseLatchesCSV(b *testing.B) {
	var csv strings.Builder
	csv.WriteString("fusebill_id;hubspot_id;hubspot_company_id;customer\r\n")
	for i := range 100_000 {
		fmt.Fprintf(&csv, "%d;%d;%d;Company %d\r\n", 2000000+i, 10000000000+i, 30000000000+i, i)
	}
	server := NewServer("bench")()
	argument := stringArgument(csv.String())
	b.ReportAllocs()
	for b.Loop() {
		if resp := callFunction(b, server, "parse_latches_csv", argument); resp.Error != nil {
			b.Fatal(resp.Error.Text)
		}
	}
}
