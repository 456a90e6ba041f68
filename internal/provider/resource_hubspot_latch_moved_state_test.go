package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// The tests in this file move the states of other resources to a latch. They check that:
//
//   - a latch is taken over from the states that restapi_object, restful_resource, terraform_data
//     and null_resource write, with all digits and without a write, and the plan after it is empty;
//   - a state that does not hold exactly one customer and a latch is refused, with the next step;
//   - the framework refuses a move from any other type of resource.

// terraformData returns a state of terraform_data with these attributes.
func terraformData(attributes string) acctest.Foreign {
	return acctest.Foreign{Provider: acctest.Builtin, TypeName: "terraform_data", State: attributes}
}

// customerResponse is a customer as the API returns it, with the IDs of other objects.
const customerResponse = `{"firstName":"John","reference":"1337","customerReference":{"reference1":null,"salesTrackingCodes":[],"id":172677,` +
	`"uri":"/172677"},"parentId":null,"hubSpotId":9007199254740993,"hubSpotCompanyId":202,"id":2554529,"uri":"/customers/2554529"}`

// movable are states that can be moved, and the latches in them.
var movable = map[string]struct {
	from acctest.Foreign
	want acctest.Customer
}{
	"restapi_object 1.19, as created": {acctest.RestapiObject(`{
		"api_data": {"firstName": "John", "hubSpotCompanyId": "202", "hubSpotId": "9.007199254740992e+15", "id": "2.554529e+06", "parentId": "<nil>"},
		"api_response": ` + quoted(customerResponse) + `, "create_method": "POST", "create_path": "/HubSpot/latchCustomer",
		"create_response": ` + quoted(customerResponse) + `,
		"data": "{\"fusebillId\":2554529,\"hubSpotCompanyId\":202,\"hubSpotId\":9007199254740993}", "debug": false, "destroy_data": null,
		"force_new": null, "id": "2554529", "id_attribute": null, "object_id": null, "path": "/customers", "read_search": null}`),
		acctest.Customer{ID: 2554529, Contact: 9007199254740993, Company: 202}},
	// A refresh adds the fields of the response to data, and converts their numbers to floats and
	// back.
	"restapi_object 1.19, refreshed": {acctest.RestapiObject(`{
		"api_data": {"hubSpotCompanyId": "202", "hubSpotId": "9.007199254740992e+15", "id": "2.554529e+06"},
		"api_response": ` + quoted(customerResponse) + `, "create_response": ` + quoted(strings.ReplaceAll(customerResponse, "202", "201")) + `,
		"data": "{\"firstName\":\"John\",\"fusebillId\":null,\"hubSpotCompanyId\":202,\"hubSpotId\":9007199254740992,\"id\":2554529}",
		"id": "2554529", "path": "/customers"}`),
		acctest.Customer{ID: 2554529, Contact: 9007199254740993, Company: 202}},
	"restapi_object 2, with the last response as data": {acctest.RestapiObject(`{
		"api_data": {"id": "2.554529e+06"}, "api_response": ` + quoted(customerResponse) + `, "create_response": null,
		"data": ` + quoted(customerResponse) + `, "id": "2554529", "path": "/customers", "ignore_server_additions": null}`),
		acctest.Customer{ID: 2554529, Contact: 9007199254740993, Company: 202}},
	"restapi_object 2, with reads that return another object": {acctest.RestapiObject(`{
		"api_response": "{\"ok\":true}", "create_response": ` + quoted(customerResponse) + `, "data": "{\"ok\":true}", "id": "2554529"}`),
		acctest.Customer{ID: 2554529, Contact: 9007199254740993, Company: 202}},
	"restapi_object, with a response that is not the customer": {acctest.RestapiObject(`{
		"api_data": {"ok": "true"}, "api_response": "{\"ok\":true,\"id\":7}", "create_response": "created",
		"data": "{\"FusebillID\":\"9007199254740993\",\"HUBSPOTID\":null,\"hubSpotCompanyId\":\"202\"}", "id": "7", "path": "/latches"}`),
		acctest.Customer{ID: 9007199254740993, Company: 202}},
	// The request has both IDs, and the response only one.
	"restapi_object, with a response that lacks an ID": {acctest.RestapiObject(`{
		"api_response": "{\"id\":2554529,\"hubSpotId\":999}",
		"data": "{\"fusebillId\":2554529,\"hubSpotCompanyId\":202,\"hubSpotId\":9007199254740993}"}`),
		acctest.Customer{ID: 2554529, Contact: 9007199254740993, Company: 202}},
	"restapi_object, with the customer inside of the response": {acctest.RestapiObject(
		`{"api_response": ` + quoted(`{"id":7,"data":`+customerResponse+`}`) + `, "data": "{}"}`),
		acctest.Customer{ID: 2554529, Contact: 9007199254740993, Company: 202}},

	"restful_resource, as created": {acctest.RestfulResource(`{
		"body": {"value": {"fusebillId": 9007199254740993, "hubSpotCompanyId": null, "hubSpotId": 101},
			"type": ["object", {"fusebillId": "number", "hubSpotCompanyId": "dynamic", "hubSpotId": "number"}]},
		"create_method": "POST", "delete_body": null, "force_new_attrs": null, "id": "/customers/9007199254740993",
		"output": {"value": {"customerReference": {"id": 172677}, "hubSpotCompanyId": null, "hubSpotId": 101, "id": 9007199254740993},
			"type": ["object", {"customerReference": ["object", {"id": "number"}], "hubSpotCompanyId": "dynamic", "hubSpotId": "number", "id": "number"}]},
		"path": "/HubSpot/latchCustomer", "read_path": "/customers/$(body.id)", "sensitive_output": null}`),
		acctest.Customer{ID: 9007199254740993, Contact: 101}},
	// A refresh removes the keys of the body that the response does not have.
	"restful_resource, refreshed, with a sensitive output": {acctest.RestfulResource(`{
		"body": {"value": {"hubSpotCompanyId": 202, "hubSpotId": 101}, "type": ["object", {"hubSpotCompanyId": "number", "hubSpotId": "number"}]},
		"id": "/customers/2554529", "output": null,
		"sensitive_output": {"value": {"hubSpotCompanyId": 202, "hubSpotId": 9007199254740993, "id": 2554529},
			"type": ["object", {"hubSpotCompanyId": "number", "hubSpotId": "number", "id": "number"}]}}`),
		acctest.Customer{ID: 2554529, Contact: 9007199254740993, Company: 202}},
	"restful_resource with output_attrs": {acctest.RestfulResource(`{
		"body": {"value": {"fusebillId": null, "hubSpotId": 9007199254740993}, "type": ["object", {"fusebillId": "number", "hubSpotId": "number"}]},
		"id": "/customers/2554529", "output": {"value": {"hubSpotId": 9007199254740993}, "type": ["object", {"hubSpotId": "number"}]},
		"output_attrs": ["hubSpotId"]}`),
		acctest.Customer{ID: 2554529, Contact: 9007199254740993}},
	"restful_resource of version 0, with JSON in strings": {acctest.RestfulResource(`{
		"body": "{\"fusebillId\":2554529,\"hubSpotCompanyId\":9007199254740993}", "id": "/HubSpot/latchCustomer",
		"output": "{\"hubSpotCompanyId\":9007199254740993,\"hubSpotId\":null,\"id\":2554529}"}`),
		acctest.Customer{ID: 2554529, Company: 9007199254740993}},

	"terraform_data of numbers": {terraformData(`{
		"id": "6504c684-926d-f2cd-4775-6a6e99af0c1f", "triggers_replace": {"value": ["11"], "type": ["tuple", ["string"]]},
		"input": {"value": {"fusebill_id": 2554529, "hubspot_company_id": null, "hubspot_id": 9007199254740993},
			"type": ["object", {"fusebill_id": "number", "hubspot_company_id": "dynamic", "hubspot_id": "number"}]},
		"output": {"value": {"fusebill_id": 2554529, "hubspot_company_id": null, "hubspot_id": 9007199254740993},
			"type": ["object", {"fusebill_id": "number", "hubspot_company_id": "dynamic", "hubspot_id": "number"}]}}`),
		acctest.Customer{ID: 2554529, Contact: 9007199254740993}},
	"terraform_data of strings, one level down": {terraformData(`{
		"id": "6504c684-926d-f2cd-4775-6a6e99af0c1f", "output": null, "triggers_replace": null,
		"input": {"value": {"url": "https://secure.fusebill.com", "request": {"fusebillId": "9007199254740993", "hubSpotId": "101", "hubSpotCompanyId": ""}},
			"type": ["object", {"request": ["map", "string"], "url": "string"}]}}`),
		acctest.Customer{ID: 9007199254740993, Contact: 101}},
	"terraform_data of JSON": {terraformData(`{
		"id": "6504c684-926d-f2cd-4775-6a6e99af0c1f", "triggers_replace": null,
		"input": {"value": "{\"fusebillId\":2554529,\"hubSpotId\":9007199254740993}", "type": "string"},
		"output": {"value": "{\"fusebillId\":2554529,\"hubSpotId\":9007199254740993}", "type": "string"}}`),
		acctest.Customer{ID: 2554529, Contact: 9007199254740993}},
	"terraform_data of triggers": {terraformData(`{
		"id": "6504c684-926d-f2cd-4775-6a6e99af0c1f", "input": null, "output": null,
		"triggers_replace": {"value": {"fusebill_id": 2554529, "hubspot_company_id": 9007199254740993}, "type": ["map", "number"]}}`),
		acctest.Customer{ID: 2554529, Company: 9007199254740993}},
	// In the input of terraform_data, an attribute id is not the ID of a customer.
	"terraform_data with an id of its own": {terraformData(`{
		"input": {"value": {"id": 7, "fusebill_id": 2554529, "hubspot_id": 101}, "type": ["map", "number"]}}`),
		acctest.Customer{ID: 2554529, Contact: 101}},

	"null_resource": {acctest.NullResource(`{
		"id": "5577006791947779410", "triggers": {"fusebill_id": "2554529", "hubspot_company_id": "202", "hubspot_id": "9007199254740993"}}`),
		acctest.Customer{ID: 2554529, Contact: 9007199254740993, Company: 202}},
	"null_resource without a contact": {acctest.NullResource(`{
		"id": "5577006791947779410", "triggers": {"fusebillId": "9007199254740993", "hubSpotCompanyId": "202", "hubSpotId": ""}}`),
		acctest.Customer{ID: 9007199254740993, Company: 202}},
	"null_resource of JSON": {acctest.NullResource(`{
		"id": "5577006791947779410", "triggers": {"body": "{\"fusebillId\":2554529,\"hubSpotId\":9007199254740993}"}}`),
		acctest.Customer{ID: 2554529, Contact: 9007199254740993}},
	"null_resource of a fork, from a mirror": {acctest.Foreign{
		Provider: "mirror.example/somebody/null", TypeName: "null_resource",
		State: `{"triggers": {"fusebill_id": "2554529", "hubspot_id": "101", "hubspot_company_id": null}}`,
	}, acctest.Customer{ID: 2554529, Contact: 101}},
	"null_resource, from OpenTofu": {acctest.Foreign{
		Provider: "null", TypeName: "null_resource",
		State: `{"triggers": {"fusebill_id": "2554529", "hubspot_id": "101"}}`,
	}, acctest.Customer{ID: 2554529, Contact: 101}},
}

// quoted returns a text as a string in JSON.
func quoted(text string) string { return fmt.Sprintf("%q", text) }

// moveState asks the provider to move a state to another type of resource.
func moveState(p *acctest.Protocol, from acctest.Foreign, to string) *tfprotov6.MoveResourceStateResponse {
	p.T.Helper()
	resp, err := p.Server.MoveResourceState(p.T.Context(), &tfprotov6.MoveResourceStateRequest{
		SourceProviderAddress: from.Provider, SourceTypeName: from.TypeName,
		SourceState: &tfprotov6.RawState{JSON: []byte(from.State)}, TargetTypeName: to,
	})
	if err != nil {
		p.T.Fatal(err)
	}
	return resp
}

func TestProtocol_movedState(t *testing.T) {
	t.Parallel()
	for name, test := range movable {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := acctest.SimulatorWith(test.want)
			p := acctest.NewConfiguredProtocol(t, sim)
			resp := moveState(p, test.from, acctest.LatchType)
			p.Succeeded(resp.Diagnostics, nil)
			p.Holds(resp.TargetState, test.want)
			p.Identifies(resp.TargetIdentity, test.want.ID)

			read, err := p.Server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
				TypeName: acctest.LatchType, CurrentState: resp.TargetState, CurrentIdentity: resp.TargetIdentity,
				Private: resp.TargetPrivate,
			})
			p.Succeeded(read.Diagnostics, err)
			p.Holds(read.NewState, test.want)
			if n := sim.Writes(); n > 0 {
				t.Errorf("%d writes were made", n)
			}
		})
	}
}

func TestProtocol_movedStateRefused(t *testing.T) {
	t.Parallel()
	const (
		summary    = "Moved resource holds no HubSpot latch"
		noCustomer = "its state holds no ID of a Fusebill customer"
	)
	instead := func(customer int64) string {
		byID := "by the customer's ID"
		if customer == 2554529 {
			byID += ", here 2554529 as an example"
		}
		return "Nothing was changed. Instead of moving it, import the latch " + byID + ":\n\n" + importBlock(customer) +
			"\n\nand let Terraform forget the former resource, by a removed block with destroy = false or by terraform state rm"
	}
	input := func(value string) acctest.Foreign {
		return terraformData(`{"input": {"value": ` + value + `, "type": "dynamic"}}`)
	}
	for name, test := range map[string]struct {
		from     acctest.Foreign
		fault    string
		customer int64 // in the import block
	}{
		"no triggers": {acctest.NullResource(`{"id": "5577006791947779410", "triggers": null}`),
			"null_resource to fusebill_hubspot_latch: " + noCustomer + ". Looked for were fusebillId, hubSpotId and " +
				"hubSpotCompanyId, or fusebill_id, hubspot_id and hubspot_company_id, in triggers.", 2554529},
		"another resource of the API": {acctest.RestapiObject(
			`{"api_response": "{\"id\":2554529,\"name\":\"Plan\"}", "data": "{\"name\":\"Plan\"}", "id": "2554529"}`),
			noCustomer + ". Looked for were fusebillId, hubSpotId and hubSpotCompanyId, or fusebill_id, hubspot_id and " +
				"hubspot_company_id, in api_response, data, create_response.", 2554529},
		"no customer": {input(`{"hubspot_id": 101, "id": 11}`), noCustomer, 2554529},
		"no customer in the path": {acctest.RestfulResource(`{"id": "/customers/11/x", "body": "{\"hubSpotId\":101}"}`),
			noCustomer, 2554529},
		"no latch": {input(`{"fusebill_id": 11}`),
			"its state holds no ID of a HubSpot contact or company for customer 11", 11},
		"a latch of nulls": {acctest.RestapiObject(
			`{"api_response": "{\"id\":11,\"hubSpotId\":null,\"hubSpotCompanyId\":null}"}`), "for customer 11", 11},
		"a latch of zeros": {input(`{"fusebill_id": 11, "hubspot_id": 0, "hubspot_company_id": "0"}`), "for customer 11", 11},
		"two JSON objects in a string": {acctest.NullResource(
			`{"triggers": {"body": "{\"fusebillId\":11,\"hubSpotId\":101} {}"}}`), noCustomer, 2554529},
		"two levels down": {input(`{"a": {"b": {"fusebill_id": 11, "hubspot_id": 101}}}`), noCustomer, 2554529},
		"a list":          {input(`[{"fusebill_id": 11, "hubspot_id": 101}]`), noCustomer, 2554529},
		"two customers": {input(
			`{"a": {"fusebill_id": 11, "hubspot_id": 101}, "b": {"fusebill_id": 22, "hubspot_id": 102}}`),
			"it holds two customers, 11 and 22", 2554529},
		"a response about another customer": {acctest.RestapiObject(
			`{"api_response": "{\"id\":22,\"hubSpotId\":101}", "data": "{\"fusebillId\":11,\"hubSpotId\":101}"}`),
			"it holds two customers, 22 and 11", 2554529},
		// Version 1.19 of restapi converts IDs to floats, which loses the last digit.
		"a customer that was rounded": {acctest.RestapiObject(`{
			"api_response": "{\"id\":9007199254740993,\"hubSpotId\":101}", "data": "{\"id\":9007199254740992,\"hubSpotId\":101}"}`),
			"it holds two customers, 9007199254740993 and 9007199254740992", 2554529},
		"a number with an exponent": {input(`{"fusebill_id": 2.554529e+06, "hubspot_id": 101}`),
			"in its input, fusebill_id is not an ID: a whole number of 1 or more", 2554529},
		"a fraction": {input(`{"fusebill_id": 11, "hubspot_id": 101.5}`),
			"in its input, hubspot_id is not an ID", 2554529},
		"more than 64 bits": {input(`{"fusebill_id": 11, "hubspot_id": 9223372036854775808}`),
			"in its input, hubspot_id is not an ID", 2554529},
		"a negative number": {input(`{"fusebill_id": -11, "hubspot_id": 101}`),
			"in its input, fusebill_id is not an ID", 2554529},
		"a word": {acctest.NullResource(`{"triggers": {"fusebillId": "eleven", "hubspot_id": "101"}}`),
			"in its triggers, fusebillId is not an ID", 2554529},
		"a boolean": {input(`{"fusebill_id": 11, "hubspot_company_id": true}`),
			"in its input, hubspot_company_id is not an ID", 2554529},
		"two spellings": {input(`{"fusebill_id": 11, "hubSpotId": 101, "hubspot_id": 102}`),
			"in its input, hubspot_id is there twice, and differs", 2554529},
		"a list as state":   {acctest.NullResource(`[]`), "its state cannot be read", 2554529},
		"a state cut short": {acctest.NullResource(`{"triggers": `), "its state cannot be read", 2554529},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := acctest.NewProtocol(t, acctest.SimulatorWith())
			resp := moveState(p, test.from, acctest.LatchType)
			p.Failed(resp.Diagnostics, nil, summary,
				"Could not move this "+test.from.TypeName, test.fault, instead(test.customer))
			if resp.TargetState != nil {
				t.Error("there is an error and a state")
			}
		})
	}
}

// The framework refuses a move from any other type of resource, because no mover accepts it. The
// provider refuses a move to a set, and explains how the latch becomes a row.
func TestProtocol_movedStateOfOtherType(t *testing.T) {
	t.Parallel()
	const notSupported = "does not include support for the given source resource"
	const state = `{"triggers": {"fusebill_id": "11", "hubspot_id": "101"}, "input": {"fusebill_id": 11, "hubspot_id": 101}}`
	for name, test := range map[string]struct {
		from acctest.Foreign
		to   string
		part string
	}{
		"another type": {
			acctest.Foreign{Provider: acctest.NullNames, TypeName: "null_data_source", State: state},
			acctest.LatchType, notSupported,
		},
		"another provider": {
			acctest.Foreign{Provider: "registry.terraform.io/hashicorp/notnull", TypeName: "null_resource", State: state},
			acctest.LatchType, notSupported,
		},
		"type of another provider": {
			acctest.Foreign{Provider: acctest.Restapi, TypeName: "terraform_data", State: state},
			acctest.LatchType, "Source Resource Type: terraform_data",
		},
		"to a set": {
			acctest.Foreign{Provider: acctest.NullNames, TypeName: "null_resource", State: state},
			latchesType, "from = null_resource.example",
		},
		"from a single latch to a set": {
			acctest.Foreign{Provider: Address, TypeName: acctest.LatchType, State: `{"fusebill_id": 11, "hubspot_id": 101}`},
			latchesType, "from = fusebill_hubspot_latch.example",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := acctest.NewProtocol(t, acctest.SimulatorWith())
			resp := moveState(p, test.from, test.to)
			summary := "Unable to Move Resource State"
			if test.to == latchesType {
				summary = "HubSpot latches are not moved to a latch set by a moved block"
			}
			p.Failed(resp.Diagnostics, nil, summary, test.part)
			if resp.TargetState != nil {
				t.Error("there is an error and a state")
			}
		})
	}
}

// FuzzMovedState checks that a state is either refused, or holds a customer and a latch.
func FuzzMovedState(f *testing.F) {
	for _, test := range movable {
		f.Add(test.from.TypeName, test.from.State)
	}
	for _, state := range []string{
		``, `null`, `[]`, `{"triggers":{"fusebill_id":-1,"hubspot_id":1e3}}`,
		`{"input":{"value":{"value":null,"type":1},"type":2}}`,
	} {
		for typeName := range moveSources {
			f.Add(typeName, state)
		}
	}
	f.Fuzz(func(t *testing.T, typeName, state string) {
		source, ok := moveSources[typeName]
		if !ok {
			return
		}
		customer, l, err := source.latch([]byte(state))
		switch {
		case err != nil && !l.IsZero():
			t.Errorf("got the latch %s and the error %v, want only one of them", l, err)
		case err == nil && (customer < 1 || l.IsZero() || l.HubSpotID < 0 || l.HubSpotCompanyID < 0):
			t.Errorf("got %s of customer %d, want positive IDs or an error", l, customer)
		}
	})
}

// newMoveWorkspace returns a workspace, and skips the test if the CLI cannot move a resource to
// another type.
func newMoveWorkspace(t *testing.T, a acctest.Account) *acctest.Workspace {
	t.Helper()
	c := acctest.NewWorkspace(t, a)
	c.SkipWithoutMoves()
	return c
}

// moves fails the test unless the declared latch "test" takes over the state of another resource
// without a write.
func moves(c *acctest.Workspace, a acctest.Account, from string, want acctest.Customer) {
	c.T.Helper()
	a.ResetCalls()
	c.Declare(want.Block(), acctest.Block("moved", "from = "+from, "to = "+acctest.LatchAddress))
	acctest.Prints(c.T, c.PlanIs(true), from+" has moved to "+acctest.LatchAddress, "0 to add, 0 to change, 0 to destroy")
	c.Shows(want, "tfplan")
	c.Run(0, "apply", "-no-color", "tfplan")
	c.Shows(want)
	c.PlanIs(false)
	c.Declare(want.Block())
	c.PlanIs(false)
	a.Wrote(c.T)
	a.Holds(c.T, want)
}

func TestAccCLIMovedState_terraformData(t *testing.T) {
	t.Parallel()
	want := acctest.Customer{ID: 2554529, Contact: 9007199254740993}
	a := acctest.AccountWith(t, want)
	c := newMoveWorkspace(t, a)
	c.Declare(acctest.Block(`resource "terraform_data" "former"`,
		"input = { fusebill_id = 2554529, hubspot_id = 9007199254740993, hubspot_company_id = null }"))
	c.Apply()
	moves(c, a, "terraform_data.former", want)
}

// The test writes each state file itself, as the provider of the resource writes it. Terraform
// starts this provider, because the state names it, but only asks for its schema. So the built
// provider stands in for it.
func TestAccCLIMovedState_otherProviders(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"restapi_object 1.19, refreshed", "restapi_object 2, with the last response as data",
		"restful_resource, as created", "null_resource",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, want := movable[name].from, movable[name].want
			a := acctest.AccountWith(t, want)
			c := newMoveWorkspace(t, a)
			c.StandIn(from.Provider)
			c.Write("terraform.tfstate", acctest.StateOf(from.InState("former")))
			moves(c, a, from.TypeName+".former", want)
		})
	}
}

// A plan refuses a state without a latch, and gives the next step. The test then follows that step.
func TestAccCLIMovedState_refused(t *testing.T) {
	t.Parallel()
	want := acctest.Customer{ID: 2554529, Contact: 101}
	a := acctest.AccountWith(t, want)
	c := newMoveWorkspace(t, a)
	former := acctest.Block(`resource "terraform_data" "former"`, "input = { fusebill_id = 2554529 }")
	c.Declare(former)
	c.Apply()
	c.Declare(want.Block(), acctest.Block("moved", "from = terraform_data.former", "to = "+acctest.LatchAddress))
	acctest.Prints(t, c.Run(1, "plan", "-no-color"), "Error: Moved resource holds no HubSpot latch",
		"its state holds no ID of a HubSpot contact or company for customer 2554529")
	c.Declare(want.Block(), importOf(`id = "2554529"`), removed("terraform_data.former"))
	c.Apply()
	c.Shows(want)
	a.Wrote(t)

	c.Declare(former)
	c.Run(0, "state", "rm", acctest.LatchAddress)
	c.Apply()
	c.Declare(acctest.LatchSet{want}.Block(),
		acctest.Block("moved", "from = terraform_data.former", "to = "+acctest.SetAddress))
	acctest.Prints(t, c.Run(1, "plan", "-no-color"),
		"Error: HubSpot latches are not moved to a latch set by a moved block",
		"Could not move a terraform_data to fusebill_hubspot_latches", "removed { from = terraform_data.example")
}
