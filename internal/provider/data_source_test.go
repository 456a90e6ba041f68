package provider

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The tests in this file are about all data sources. They check that:
//
//   - filters choose exactly the customers with these values, with any characters in them, and even
//     if lists do not show latches;
//   - an error about an argument is on the argument, and comes before any call;
//   - the data sources of one run share one reading of the account;
//   - a data source shows the writes of the same run;
//   - Ctrl-C ends a reading.
//
// The values of each data source are tested in its own file.

// dataBlock declares the data source "test" of a type.
func dataBlock(typeName string, arguments ...string) string {
	return acctest.Block(fmt.Sprintf("data %q %q", typeName, "test"), arguments...)
}

// failure is a fault of the service, and the error of the data source "test" with these arguments.
type failure struct {
	kind      fusebillsim.FaultKind
	arguments string
	summary   string
	detail    string // a part of it
}

// failures returns a step for each failure. Its error must not be on an argument.
func failures(a acctest.Account, typeName string, all ...failure) []resource.TestStep {
	repair := func() {}
	var steps []resource.TestStep
	for _, f := range all {
		line := fmt.Sprintf("data %q %q {", typeName, "test")
		step := acctest.Refused(a.With(dataBlock(typeName, f.arguments)), acctest.Diagnosis(f.summary, line, f.detail))
		step.PreConfig = func() {
			repair()
			repair = a.Faults(f.kind, "", -1)
		}
		steps = append(steps, step)
	}
	// plugin-testing destroys the last configuration, which must succeed.
	return append(steps, resource.TestStep{Config: a.With()})
}

// directory returns customers whose values differ in one respect from those of another one.
func directory() []fusebillsim.Customer {
	day := func(n int) time.Time { return time.Date(2026, 1, n, 12, 0, 0, 0, time.UTC) }
	return []fusebillsim.Customer{
		{ID: 11, Reference: "C-1", CompanyName: "Stolen Bikes", PrimaryEmail: "a@example.com",
			HubSpotID: 101, HubSpotCompanyID: 201, Modified: day(1)},
		{ID: 22, Reference: "C-2", FirstName: "John", LastName: "Doe", PrimaryEmail: "A@example.com", Status: "Hold",
			HubSpotID: 102, Modified: day(2)},
		{ID: 33, Reference: "c-1", CompanyName: "Stolen Bikes", Status: "Draft", HubSpotCompanyID: 203, Modified: day(3)},
		{ID: 44, Reference: "a;b", CompanyName: "Bikes, Ltd.", Status: "Draft", HubSpotID: 104, Modified: day(4)},
		{ID: 55, Reference: "x:status:Draft", CompanyName: "a,b", HubSpotID: 105, Modified: day(5)},
		{ID: 66, Reference: "[empty]", CompanyName: "*", HubSpotID: 106, Modified: day(6)},
		{ID: 9007199254740993, HubSpotID: 9007199254740995, HubSpotCompanyID: 4294967297, Modified: day(7)},
	}
}

const wholeDirectory = "11 22 33 44 55 66 9007199254740993"

// filterCases are arguments of filters, with the customers of directory that they choose.
var filterCases = map[string]string{
	``:                                        wholeDirectory,
	`reference = null`:                        wholeDirectory,
	`statuses = ["Draft", "Hold"]`:            "22 33 44",
	`statuses = ["Cancelled"]`:                "",
	`reference = "C-1"`:                       "11",
	`reference = "C-*"`:                       "",
	`reference = "*"`:                         "",
	`reference = "a;b"`:                       "44",
	`reference = "a;status:Draft"`:            "",
	`reference = "x:status:Draft"`:            "55",
	`reference = "[empty]"`:                   "66",
	`reference = " C-1"`:                      "",
	`company_name = "Stolen Bikes"`:           "11 33",
	`company_name = "Bikes, Ltd."`:            "44",
	`company_name = "a,b"`:                    "55",
	`company_name = "*"`:                      "66",
	`primary_email = "A@example.com"`:         "22",
	`primary_email = "a@example.com"`:         "11",
	`modified_since = "2026-01-05"`:           "55 66 9007199254740993",
	`modified_since = "2026-01-06T13:00:00Z"`: "9007199254740993",
	"company_name = \"Stolen Bikes\"\nstatuses = [\"Active\"]": "11",
}

func TestAccDataSource_filters(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*fusebillsim.Behavior){
		"as documented":         func(*fusebillsim.Behavior) {},
		"lists without latches": func(b *fusebillsim.Behavior) { b.ListOmitsHubSpotKeys = true },
		"filters ignored":       func(b *fusebillsim.Behavior) { b.IgnoreFilters = true },
		"small pages":           func(b *fusebillsim.Behavior) { b.MaxPageSize = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			a := acctest.NewAccount(t, directory()...)
			a.Configure(change)
			var blocks []string
			var checks []statecheck.StateCheck
			for arguments, chosen := range filterCases {
				latches, customers := map[string]knownvalue.Check{}, []knownvalue.Check{}
				for id := range strings.FieldsSeq(chosen) {
					latches[id] = knownvalue.NotNull()
					customers = append(customers, knownvalue.ObjectPartial(map[string]knownvalue.Check{
						"id": knownvalue.StringExact(id),
					}))
				}
				label := fmt.Sprintf("case%d", len(blocks))
				blocks = append(blocks,
					acctest.Block(fmt.Sprintf("data %q %q", "fusebill_hubspot_latches", label), arguments),
					acctest.Block(fmt.Sprintf("data %q %q", "fusebill_customers", label), arguments))
				checks = append(checks,
					statecheck.ExpectKnownValue("data.fusebill_hubspot_latches."+label, tfjsonpath.New("latches"),
						knownvalue.MapExact(latches)),
					statecheck.ExpectKnownValue("data.fusebill_customers."+label, tfjsonpath.New("customers"),
						knownvalue.ListExact(customers)))
			}
			acctest.Run(t, resource.TestStep{Config: a.With(blocks...), ConfigStateChecks: checks})
		})
	}
}

func TestDataSource_refusesInvalidArguments(t *testing.T) {
	t.Parallel()
	const (
		lists      = "fusebill_hubspot_latches fusebill_customers"
		exactlyOne = "Exactly one of these attributes must be configured: " +
			"[id,reference,primary_email,hubspot_id,hubspot_company_id]"
	)
	text := func(text string) tftypes.Value { return tftypes.NewValue(tftypes.String, text) }
	list := func(texts ...string) tftypes.Value {
		values := []tftypes.Value{}
		for _, t := range texts {
			values = append(values, text(t))
		}
		return tftypes.NewValue(tftypes.List{ElementType: tftypes.String}, values)
	}
	type arguments = map[string]tftypes.Value
	for _, test := range []struct {
		types     string
		arguments arguments
		attribute string // the one at fault
		detail    string // a part of it
	}{
		{lists, arguments{"statuses": list("Draft", "active")}, `AttributeName("statuses").ElementKeyInt(1)`,
			`"active" is no status of a customer. There are: Draft, Active, Hold, Suspended, Cancelled.`},
		{lists, arguments{"statuses": list()}, `AttributeName("statuses")`, "It is empty, so no customer would match."},
		{lists, arguments{"reference": text("")}, `AttributeName("reference")`, "It is empty."},
		{lists, arguments{"company_name": text(" ")}, `AttributeName("company_name")`, "It is empty."},
		{lists, arguments{"primary_email": text("\t")}, `AttributeName("primary_email")`, "It is empty."},
		{lists, arguments{"modified_since": text("yesterday")}, `AttributeName("modified_since")`,
			`"yesterday" is neither a date such as 2026-01-31 nor a time such as 2026-01-31T12:00:00Z.`},
		{"fusebill_customer", nil, ``, exactlyOne},
		{"fusebill_customer", arguments{"id": text("11"), "reference": text("C-1")}, `AttributeName("id")`, exactlyOne},
		{"fusebill_customer", arguments{"id": text("0")}, `AttributeName("id")`,
			`"0" is not the ID of a Fusebill customer: it is not 1 or more.`},
		{"fusebill_customer", arguments{"hubspot_id": text("-1")}, `AttributeName("hubspot_id")`,
			`"-1" is not the ID of a HubSpot contact: it is not 1 or more.`},
		{"fusebill_customer", arguments{"hubspot_company_id": text("0")}, `AttributeName("hubspot_company_id")`,
			`"0" is not the ID of a HubSpot company: it is not 1 or more.`},
		{"fusebill_customer", arguments{"reference": text("")}, `AttributeName("reference")`, "must not be empty"},
		{"fusebill_customer", arguments{"primary_email": text(" ")}, `AttributeName("primary_email")`, "must not be empty"},
	} {
		for typeName := range strings.FieldsSeq(test.types) {
			p := acctest.NewProtocol(t, acctest.SimulatorWith()) // A validation does not configure the provider.
			resp, err := p.Server.ValidateDataResourceConfig(t.Context(), &tfprotov6.ValidateDataResourceConfigRequest{
				TypeName: typeName, Config: p.Value(dataType(p, typeName), test.arguments),
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(resp.Diagnostics) != 1 {
				t.Errorf("%s %v: %d diagnostics, want 1", typeName, test.arguments, len(resp.Diagnostics))
				continue
			}
			got := resp.Diagnostics[0]
			if at := got.Attribute.String(); at != test.attribute || !strings.Contains(got.Detail, test.detail) {
				t.Errorf("%s %v: got %q on %s, want %q on %s",
					typeName, test.arguments, got.Detail, at, test.detail, test.attribute)
			}
		}
	}
}

// An unknown argument may turn out to be valid, so a validation accepts it.
func TestDataSource_unknownArgumentsAreValid(t *testing.T) {
	t.Parallel()
	unknown := tftypes.NewValue(tftypes.String, tftypes.UnknownValue)
	p := acctest.NewProtocol(t, acctest.SimulatorWith())
	for typeName, names := range map[string][]string{
		"fusebill_hubspot_latches": {"reference", "company_name", "primary_email", "modified_since", "statuses"},
		"fusebill_customers":       {"reference", "company_name", "primary_email", "modified_since", "statuses", "latched"},
		"fusebill_customer":        {"reference", "primary_email", "id", "hubspot_id", "hubspot_company_id"},
	} {
		typ := dataType(p, typeName)
		for _, name := range names {
			unknown := tftypes.NewValue(typ.AttributeTypes[name], tftypes.UnknownValue)
			resp, err := p.Server.ValidateDataResourceConfig(t.Context(), &tfprotov6.ValidateDataResourceConfigRequest{
				TypeName: typeName, Config: p.Value(typ, map[string]tftypes.Value{name: unknown}),
			})
			p.Succeeded(resp.Diagnostics, err)
		}
	}
	typ := dataType(p, "fusebill_customers")
	resp, err := p.Server.ValidateDataResourceConfig(t.Context(), &tfprotov6.ValidateDataResourceConfigRequest{
		TypeName: "fusebill_customers", Config: p.Value(typ, map[string]tftypes.Value{
			"statuses": tftypes.NewValue(typ.AttributeTypes["statuses"], []tftypes.Value{unknown}),
		}),
	})
	p.Succeeded(resp.Diagnostics, err)
}

// dataType returns the type of a data source.
func dataType(p *acctest.Protocol, typeName string) tftypes.Object {
	p.T.Helper()
	schemas, err := p.Server.GetProviderSchema(p.T.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		p.T.Fatal(err)
	}
	return acctest.ObjectType(p.T, schemas.DataSourceSchemas[typeName].ValueType())
}

// An account with 2,500 customers has three pages.
func TestAccDataSource_callsOfOnePlan(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		config string
		most   int
	}{
		"a report": {dataBlock("fusebill_hubspot_latches"), 3},
		"everything at once": {dataBlock("fusebill_hubspot_latches") + dataBlock("fusebill_customers", "latched = false") +
			dataBlock("fusebill_customer", "hubspot_id = 1001") +
			acctest.Block(`data "fusebill_customer" "other"`, "hubspot_company_id = 5000"), 3},
		// The provider makes up to four lookups at once, until reading the account is cheaper.
		"a hundred lookups": {dataBlock("fusebill_customer", "count = 100",
			`reference = format("C-%06d", 7 * count.index + 1)`), 3 + 3 + 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := acctest.NewAccount(t)
			for i, id := range a.AddSampleCustomers(2500) {
				a.SetLatch(id, int64(i+1), int64(i+2501))
			}
			c := acctest.NewWorkspace(t, a)
			c.Declare(test.config)
			c.Run(0, "plan", "-no-color")
			if n := a.Count(); n == 0 || n > test.most {
				t.Errorf("%d calls, want at most %d: %v", n, test.most, a.Calls())
			}
		})
	}
}

// The lists of the service are out of date. The data sources show the writes of the same apply
// instead.
func TestAccDataSource_afterWriteOfSameApply(t *testing.T) {
	t.Parallel()
	a := acctest.NewAccount(t, fusebillsim.Customer{ID: 11, Reference: "C-1"}, fusebillsim.Customer{ID: 22})
	a.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStaleList, Times: -1})
	c := acctest.NewWorkspace(t, a)
	const after = "depends_on = [" + acctest.LatchAddress + "]"
	c.Declare(acctest.Customer{ID: 11, Contact: 101, Company: 202}.Block(),
		dataBlock("fusebill_hubspot_latches", after),
		dataBlock("fusebill_customer", `reference = "C-1"`, after),
		dataBlock("fusebill_customers", "latched = true", after),
		acctest.Block(`data "fusebill_customer" "holder"`, "hubspot_company_id = 202", after),
		acctest.Block(`output "ids"`, `value = join(" ", [
    data.fusebill_hubspot_latches.test.latches["11"].hubspot_id,
    data.fusebill_customer.test.hubspot_id,
    data.fusebill_customers.test.customers[0].hubspot_id,
    data.fusebill_customer.holder.id,
  ])`))
	c.Apply()
	if got, want := strings.TrimSpace(c.Run(0, "output", "-no-color", "ids")), `"101 101 101 11"`; got != want {
		t.Errorf("the data sources have the IDs %s, want %s", got, want)
	}
}

// An argument may depend on a resource of the same apply. Terraform then reads the data source
// after the resource is created.
func TestAccDataSource_argumentUnknownAtPlan(t *testing.T) {
	acctest.Needs(t, "terraform_data", tfversion.SkipBelow(tfversion.Version1_4_0),
		resource.TestStep{
			Config: acctest.NewAccount(t, directory()...).With(
				acctest.Block(`resource "terraform_data" "of"`, `input = { reference = "C-2", id = 44, status = "Draft" }`),
				dataBlock("fusebill_hubspot_latches", "reference = terraform_data.of.output.reference"),
				dataBlock("fusebill_customer", "id = terraform_data.of.output.id"),
				dataBlock("fusebill_customers", "statuses = [terraform_data.of.output.status]"),
			),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue("data.fusebill_hubspot_latches.test", tfjsonpath.New("latches"),
					knownvalue.MapSizeExact(1)),
				statecheck.ExpectKnownValue("data.fusebill_customer.test", tfjsonpath.New("reference"),
					knownvalue.StringExact("a;b")),
				statecheck.ExpectKnownValue("data.fusebill_customers.test", tfjsonpath.New("customers"),
					knownvalue.ListSizeExact(2)),
			},
		})
}

// Ctrl-C ends a data source that waits for a response, or for the rate limit.
func TestProtocol_stopEndsDataSources(t *testing.T) {
	t.Parallel()
	for typeName, arguments := range map[string]map[string]tftypes.Value{
		"fusebill_hubspot_latches": nil,
		"fusebill_customers":       {"reference": tftypes.NewValue(tftypes.String, "C-1")},
		"fusebill_customer":        {"hubspot_id": tftypes.NewValue(tftypes.String, "101")},
	} {
		for name, stuck := range map[string]func(*fusebillsim.Simulator){
			"call": func(sim *fusebillsim.Simulator) { acctest.Stick(sim, acctest.ReadRoutes...) },
			"rate limit": func(sim *fusebillsim.Simulator) {
				sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultRateLimitMinute, Times: -1})
			},
		} {
			t.Run(typeName+" in a "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					sim := acctest.SimulatorWith(acctest.Customer{ID: 11, Contact: 101})
					p := acctest.NewConfiguredProtocol(t, sim)
					config := p.Value(dataType(p, typeName), arguments)
					stuck(sim)
					go func() {
						time.Sleep(time.Second) // of the fake clock, which only moves while all calls wait
						p.Stop()
					}()
					start := time.Now()
					resp, err := p.Server.ReadDataSource(t.Context(), &tfprotov6.ReadDataSourceRequest{
						TypeName: typeName, Config: config,
					})
					p.Failed(resp.Diagnostics, err, "Interrupted")
					if took := time.Since(start); took > 3*time.Second {
						t.Errorf("the data source ended %s after the stop, want at most 2s", took-time.Second)
					}
				})
			})
		}
	}
}
