package provider

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// The promises tested here: a latch that was kept by restapi_object, restful_resource, terraform_data or null_resource is
// adopted from the state as those write it, to the last digit, without a write, and the plan after it is empty; a state
// that doesn't tell one customer and a latch for sure is refused, with what to do instead; what isn't ours is left to others.

// moved is a state that somebody else's resource has written.
type moved struct {
	provider, typeName string
	state              string
}

// The addresses of the providers, as Terraform gives them.
const (
	restapi   = "registry.terraform.io/mastercard/restapi"
	restful   = "registry.terraform.io/magodo/restful"
	builtin   = "terraform.io/builtin/terraform"
	nullNames = "registry.terraform.io/hashicorp/null"
)

func restapiObject(attributes string) moved { return moved{restapi, "restapi_object", attributes} }

func restfulResource(attributes string) moved { return moved{restful, "restful_resource", attributes} }

func terraformData(attributes string) moved { return moved{builtin, "terraform_data", attributes} }

func nullResource(attributes string) moved { return moved{nullNames, "null_resource", attributes} }

// customerAnswer is a customer as the service answers it, other objects' IDs included.
const customerAnswer = `{"firstName":"John","reference":"1337","customerReference":{"reference1":null,"salesTrackingCodes":[],"id":172677,` +
	`"uri":"/172677"},"parentId":null,"hubSpotId":9007199254740993,"hubSpotCompanyId":202,"id":2554529,"uri":"/customers/2554529"}`

// movable are states and the latches in them.
var movable = map[string]struct {
	from moved
	want held
}{
	"restapi_object 1.19, as created": {restapiObject(`{
		"api_data": {"firstName": "John", "hubSpotCompanyId": "202", "hubSpotId": "9.007199254740992e+15", "id": "2.554529e+06", "parentId": "<nil>"},
		"api_response": ` + quoted(customerAnswer) + `, "create_method": "POST", "create_path": "/HubSpot/latchCustomer",
		"create_response": ` + quoted(customerAnswer) + `,
		"data": "{\"fusebillId\":2554529,\"hubSpotCompanyId\":202,\"hubSpotId\":9007199254740993}", "debug": false, "destroy_data": null,
		"force_new": null, "id": "2554529", "id_attribute": null, "object_id": null, "path": "/customers", "read_search": null}`),
		held{2554529, 9007199254740993, 202}},
	// It takes what the API has added for a change, and writes it to data by way of floats.
	"restapi_object 1.19, refreshed": {restapiObject(`{
		"api_data": {"hubSpotCompanyId": "202", "hubSpotId": "9.007199254740992e+15", "id": "2.554529e+06"},
		"api_response": ` + quoted(customerAnswer) + `, "create_response": ` + quoted(strings.ReplaceAll(customerAnswer, "202", "201")) + `,
		"data": "{\"firstName\":\"John\",\"fusebillId\":null,\"hubSpotCompanyId\":202,\"hubSpotId\":9007199254740992,\"id\":2554529}",
		"id": "2554529", "path": "/customers"}`),
		held{2554529, 9007199254740993, 202}},
	"restapi_object 2, whose data is the last answer": {restapiObject(`{
		"api_data": {"id": "2.554529e+06"}, "api_response": ` + quoted(customerAnswer) + `, "create_response": null,
		"data": ` + quoted(customerAnswer) + `, "id": "2554529", "path": "/customers", "ignore_server_additions": null}`),
		held{2554529, 9007199254740993, 202}},
	"restapi_object 2, whose reads answer something else": {restapiObject(`{
		"api_response": "{\"ok\":true}", "create_response": ` + quoted(customerAnswer) + `, "data": "{\"ok\":true}", "id": "2554529"}`),
		held{2554529, 9007199254740993, 202}},
	"restapi_object whose answer isn't the customer": {restapiObject(`{
		"api_data": {"ok": "true"}, "api_response": "{\"ok\":true,\"id\":7}", "create_response": "created",
		"data": "{\"FusebillID\":\"9007199254740993\",\"HUBSPOTID\":null,\"hubSpotCompanyId\":\"202\"}", "id": "7", "path": "/latches"}`),
		held{9007199254740993, 0, 202}},
	// The request tells both, the answer only one.
	"restapi_object whose answer is cut short": {restapiObject(`{
		"api_response": "{\"id\":2554529,\"hubSpotId\":999}",
		"data": "{\"fusebillId\":2554529,\"hubSpotCompanyId\":202,\"hubSpotId\":9007199254740993}"}`),
		held{2554529, 9007199254740993, 202}},
	"restapi_object of a wrapped answer": {restapiObject(`{"api_response": ` + quoted(`{"id":7,"data":`+customerAnswer+`}`) + `, "data": "{}"}`),
		held{2554529, 9007199254740993, 202}},

	"restful_resource, as created": {restfulResource(`{
		"body": {"value": {"fusebillId": 9007199254740993, "hubSpotCompanyId": null, "hubSpotId": 101},
			"type": ["object", {"fusebillId": "number", "hubSpotCompanyId": "dynamic", "hubSpotId": "number"}]},
		"create_method": "POST", "delete_body": null, "force_new_attrs": null, "id": "/customers/9007199254740993",
		"output": {"value": {"customerReference": {"id": 172677}, "hubSpotCompanyId": null, "hubSpotId": 101, "id": 9007199254740993},
			"type": ["object", {"customerReference": ["object", {"id": "number"}], "hubSpotCompanyId": "dynamic", "hubSpotId": "number", "id": "number"}]},
		"path": "/HubSpot/latchCustomer", "read_path": "/customers/$(body.id)", "sensitive_output": null}`),
		held{9007199254740993, 101, 0}},
	// It keeps those keys of the body alone that the answer has too.
	"restful_resource, refreshed, with a sensitive output": {restfulResource(`{
		"body": {"value": {"hubSpotCompanyId": 202, "hubSpotId": 101}, "type": ["object", {"hubSpotCompanyId": "number", "hubSpotId": "number"}]},
		"id": "/customers/2554529", "output": null,
		"sensitive_output": {"value": {"hubSpotCompanyId": 202, "hubSpotId": 9007199254740993, "id": 2554529},
			"type": ["object", {"hubSpotCompanyId": "number", "hubSpotId": "number", "id": "number"}]}}`),
		held{2554529, 9007199254740993, 202}},
	"restful_resource with output_attrs": {restfulResource(`{
		"body": {"value": {"fusebillId": null, "hubSpotId": 9007199254740993}, "type": ["object", {"fusebillId": "number", "hubSpotId": "number"}]},
		"id": "/customers/2554529", "output": {"value": {"hubSpotId": 9007199254740993}, "type": ["object", {"hubSpotId": "number"}]},
		"output_attrs": ["hubSpotId"]}`),
		held{2554529, 9007199254740993, 0}},
	"restful_resource of version 0, all texts": {restfulResource(`{
		"body": "{\"fusebillId\":2554529,\"hubSpotCompanyId\":9007199254740993}", "id": "/HubSpot/latchCustomer",
		"output": "{\"hubSpotCompanyId\":9007199254740993,\"hubSpotId\":null,\"id\":2554529}"}`),
		held{2554529, 0, 9007199254740993}},

	"terraform_data of numbers": {terraformData(`{
		"id": "6504c684-926d-f2cd-4775-6a6e99af0c1f", "triggers_replace": {"value": ["11"], "type": ["tuple", ["string"]]},
		"input": {"value": {"fusebill_id": 2554529, "hubspot_company_id": null, "hubspot_id": 9007199254740993},
			"type": ["object", {"fusebill_id": "number", "hubspot_company_id": "dynamic", "hubspot_id": "number"}]},
		"output": {"value": {"fusebill_id": 2554529, "hubspot_company_id": null, "hubspot_id": 9007199254740993},
			"type": ["object", {"fusebill_id": "number", "hubspot_company_id": "dynamic", "hubspot_id": "number"}]}}`),
		held{2554529, 9007199254740993, 0}},
	"terraform_data of texts, one level down": {terraformData(`{
		"id": "6504c684-926d-f2cd-4775-6a6e99af0c1f", "output": null, "triggers_replace": null,
		"input": {"value": {"url": "https://secure.fusebill.com", "request": {"fusebillId": "9007199254740993", "hubSpotId": "101", "hubSpotCompanyId": ""}},
			"type": ["object", {"request": ["map", "string"], "url": "string"}]}}`),
		held{9007199254740993, 101, 0}},
	"terraform_data of JSON": {terraformData(`{
		"id": "6504c684-926d-f2cd-4775-6a6e99af0c1f", "triggers_replace": null,
		"input": {"value": "{\"fusebillId\":2554529,\"hubSpotId\":9007199254740993}", "type": "string"},
		"output": {"value": "{\"fusebillId\":2554529,\"hubSpotId\":9007199254740993}", "type": "string"}}`),
		held{2554529, 9007199254740993, 0}},
	"terraform_data of triggers": {terraformData(`{
		"id": "6504c684-926d-f2cd-4775-6a6e99af0c1f", "input": null, "output": null,
		"triggers_replace": {"value": {"fusebill_id": 2554529, "hubspot_company_id": 9007199254740993}, "type": ["map", "number"]}}`),
		held{2554529, 0, 9007199254740993}},
	// A customer's id is no matter of terraform_data.
	"terraform_data with an id of its own": {terraformData(`{
		"input": {"value": {"id": 7, "fusebill_id": 2554529, "hubspot_id": 101}, "type": ["map", "number"]}}`),
		held{2554529, 101, 0}},

	"null_resource": {nullResource(`{
		"id": "5577006791947779410", "triggers": {"fusebill_id": "2554529", "hubspot_company_id": "202", "hubspot_id": "9007199254740993"}}`),
		held{2554529, 9007199254740993, 202}},
	"null_resource without a contact": {nullResource(`{
		"id": "5577006791947779410", "triggers": {"fusebillId": "9007199254740993", "hubSpotCompanyId": "202", "hubSpotId": ""}}`),
		held{9007199254740993, 0, 202}},
	"null_resource of JSON": {nullResource(`{"id": "5577006791947779410", "triggers": {"body": "{\"fusebillId\":2554529,\"hubSpotId\":9007199254740993}"}}`),
		held{2554529, 9007199254740993, 0}},
	"null_resource of a fork, from a mirror": {moved{"mirror.example/somebody/null", "null_resource",
		`{"triggers": {"fusebill_id": "2554529", "hubspot_id": "101", "hubspot_company_id": null}}`},
		held{2554529, 101, 0}},
	"null_resource, by OpenTofu": {moved{"null", "null_resource", `{"triggers": {"fusebill_id": "2554529", "hubspot_id": "101"}}`},
		held{2554529, 101, 0}},
}

// quoted is a text as JSON has it.
func quoted(text string) string { return fmt.Sprintf("%q", text) }

// move asks for a state to be moved, as Terraform does.
func (p *protocol) move(from moved, to string) *tfprotov6.MoveResourceStateResponse {
	p.t.Helper()
	resp, err := p.server.MoveResourceState(p.t.Context(), &tfprotov6.MoveResourceStateRequest{
		SourceProviderAddress: from.provider, SourceTypeName: from.typeName, SourceState: &tfprotov6.RawState{JSON: []byte(from.state)},
		TargetTypeName: to,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return resp
}

func TestProtocol_move(t *testing.T) {
	t.Parallel()
	for name, test := range movable {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim := simWith(test.want)
			p := configured(t, sim)
			resp := p.move(test.from, latchType)
			p.succeeded(resp.Diagnostics, nil)
			p.holds(resp.TargetState, test.want)
			p.identifies(resp.TargetIdentity, test.want.customer)

			read, err := p.server.ReadResource(t.Context(), &tfprotov6.ReadResourceRequest{
				TypeName: latchType, CurrentState: resp.TargetState, CurrentIdentity: resp.TargetIdentity, Private: resp.TargetPrivate,
			})
			p.succeeded(read.Diagnostics, err)
			p.holds(read.NewState, test.want)
			if n := sim.Writes(); n > 0 {
				t.Errorf("%d writes were made", n)
			}
		})
	}
}

func TestProtocol_moveRefused(t *testing.T) {
	t.Parallel()
	const summary = "Moved resource holds no HubSpot latch"
	instead := func(customer int64) string {
		byID := "by the customer's ID"
		if customer == 2554529 {
			byID += ", here 2554529 as an example"
		}
		return "Nothing was changed. Instead of moving it, import the latch " + byID + ":\n\n" + importBlock(customer) +
			"\n\nand let Terraform forget the former resource, by a removed block with destroy = false or by terraform state rm"
	}
	input := func(value string) moved {
		return terraformData(`{"input": {"value": ` + value + `, "type": "dynamic"}}`)
	}
	for name, test := range map[string]struct {
		from     moved
		fault    string
		customer int64 // in the import block
	}{
		"nothing at all": {nullResource(`{"id": "5577006791947779410", "triggers": null}`), "null_resource to fusebill_hubspot_latch: its state " +
			"holds no ID of a Fusebill customer. Looked for were fusebillId, hubSpotId and hubSpotCompanyId, or fusebill_id, hubspot_id and " +
			"hubspot_company_id, in triggers.", 2554529},
		"another resource of the API": {restapiObject(`{"api_response": "{\"id\":2554529,\"name\":\"Plan\"}", "data": "{\"name\":\"Plan\"}", "id": "2554529"}`),
			"its state holds no ID of a Fusebill customer. Looked for were fusebillId, hubSpotId and hubSpotCompanyId, or fusebill_id, hubspot_id " +
				"and hubspot_company_id, in api_response, data, create_response.", 2554529},
		"no customer":             {input(`{"hubspot_id": 101, "id": 11}`), "its state holds no ID of a Fusebill customer", 2554529},
		"no customer in the path": {restfulResource(`{"id": "/customers/11/x", "body": "{\"hubSpotId\":101}"}`), "its state holds no ID of a Fusebill customer", 2554529},
		"no latch":                {input(`{"fusebill_id": 11}`), "its state holds no ID of a HubSpot contact or company for customer 11", 11},
		"a latch of nulls":        {restapiObject(`{"api_response": "{\"id\":11,\"hubSpotId\":null,\"hubSpotCompanyId\":null}"}`), "for customer 11", 11},
		"a latch of zeros":        {input(`{"fusebill_id": 11, "hubspot_id": 0, "hubspot_company_id": "0"}`), "for customer 11", 11},
		"a JSON text and more": {nullResource(`{"triggers": {"body": "{\"fusebillId\":11,\"hubSpotId\":101} {}"}}`),
			"its state holds no ID of a Fusebill customer", 2554529},
		"too deep": {input(`{"a": {"b": {"fusebill_id": 11, "hubspot_id": 101}}}`), "its state holds no ID of a Fusebill customer", 2554529},
		"a list":   {input(`[{"fusebill_id": 11, "hubspot_id": 101}]`), "its state holds no ID of a Fusebill customer", 2554529},
		"two customers": {input(`{"a": {"fusebill_id": 11, "hubspot_id": 101}, "b": {"fusebill_id": 22, "hubspot_id": 102}}`),
			"it holds two customers, 11 and 22", 2554529},
		"an answer about another customer": {restapiObject(`{"api_response": "{\"id\":22,\"hubSpotId\":101}", "data": "{\"fusebillId\":11,\"hubSpotId\":101}"}`),
			"it holds two customers, 22 and 11", 2554529},
		// By 1.19 of restapi_object, whose floats have lost the last digit.
		"a customer that was rounded": {restapiObject(`{
			"api_response": "{\"id\":9007199254740993,\"hubSpotId\":101}", "data": "{\"id\":9007199254740992,\"hubSpotId\":101}"}`),
			"it holds two customers, 9007199254740993 and 9007199254740992", 2554529},
		"a number with an exponent": {input(`{"fusebill_id": 2.554529e+06, "hubspot_id": 101}`),
			"in its input, fusebill_id isn't an ID: a whole number of 1 or more", 2554529},
		"a fraction":           {input(`{"fusebill_id": 11, "hubspot_id": 101.5}`), "in its input, hubspot_id isn't an ID", 2554529},
		"more than 64 bits":    {input(`{"fusebill_id": 11, "hubspot_id": 9223372036854775808}`), "in its input, hubspot_id isn't an ID", 2554529},
		"a negative number":    {input(`{"fusebill_id": -11, "hubspot_id": 101}`), "in its input, fusebill_id isn't an ID", 2554529},
		"a word":               {nullResource(`{"triggers": {"fusebillId": "eleven", "hubspot_id": "101"}}`), "in its triggers, fusebillId isn't an ID", 2554529},
		"a boolean":            {input(`{"fusebill_id": 11, "hubspot_company_id": true}`), "in its input, hubspot_company_id isn't an ID", 2554529},
		"two spellings":        {input(`{"fusebill_id": 11, "hubSpotId": 101, "hubspot_id": 102}`), "in its input, hubspot_id is there twice, and differs", 2554529},
		"a state that is none": {nullResource(`[]`), "its state can't be read", 2554529},
		"a state cut short":    {nullResource(`{"triggers": `), "its state can't be read", 2554529},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProtocol(t, simWith())
			resp := p.move(test.from, latchType)
			p.failed(resp.Diagnostics, nil, summary, "Could not move this "+test.from.typeName, test.fault, instead(test.customer))
			if resp.TargetState != nil {
				t.Error("there is an error and a state")
			}
		})
	}
}

// What isn't ours is left to the framework, which knows no other mover and says so, and so is a move to a set.
func TestProtocol_moveOfOthers(t *testing.T) {
	t.Parallel()
	const state = `{"triggers": {"fusebill_id": "11", "hubspot_id": "101"}, "input": {"fusebill_id": 11, "hubspot_id": 101}}`
	for name, test := range map[string]struct {
		from moved
		to   string
		part string
	}{
		"another type":             {moved{nullNames, "null_data_source", state}, latchType, "does not include support for the given source resource"},
		"another provider":         {moved{"registry.terraform.io/hashicorp/notnull", "null_resource", state}, latchType, "does not include support for the given source resource"},
		"type of another provider": {moved{restapi, "terraform_data", state}, latchType, "Source Resource Type: terraform_data"},
		"to a set":                 {moved{nullNames, "null_resource", state}, latchesType, "does not include move resource state support"},
		"from a single to a set": {moved{Address, latchType, `{"fusebill_id": 11, "hubspot_id": 101}`}, latchesType,
			"Source Resource Type: fusebill_hubspot_latch"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProtocol(t, simWith())
			resp := p.move(test.from, test.to)
			p.failed(resp.Diagnostics, nil, "Unable to Move Resource State", test.part)
			if resp.TargetState != nil {
				t.Error("there is an error and a state")
			}
		})
	}
}

// FuzzMovedState holds that a state is either refused or tells a customer and a latch.
func FuzzMovedState(f *testing.F) {
	for _, test := range movable {
		f.Add(test.from.typeName, test.from.state)
	}
	for _, state := range []string{``, `null`, `[]`, `{"triggers":{"fusebill_id":-1,"hubspot_id":1e3}}`, `{"input":{"value":{"value":null,"type":1},"type":2}}`} {
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
			t.Errorf("both a latch, %s, and an error: %v", l, err)
		case err == nil && (customer < 1 || l.IsZero() || l.HubSpotID < 0 || l.HubSpotCompanyID < 0):
			t.Errorf("accepted: %s of customer %d", l, customer)
		}
	})
}

// newMoveCLI is newCLI for a CLI that has moves between types of resources.
func newMoveCLI(t *testing.T, a account) *cli {
	t.Helper()
	c := newCLI(t, a)
	c.skipWithoutMoves()
	return c
}

func (c *cli) skipWithoutMoves() {
	c.t.Helper()
	minor := 8
	if c.isOpenTofu() {
		minor = 10
	}
	c.skipBelow(1, minor, "moves between types of resources")
}

func (c *cli) isOpenTofu() bool {
	c.t.Helper()
	return strings.HasPrefix(c.run(0, "version"), "OpenTofu")
}

// moves fails the test unless the latch "test", as declared, takes over another resource's state without a write.
func (c *cli) moves(a account, from string, want held) {
	c.t.Helper()
	a.ResetCalls()
	c.declare(want.block(), block("moved", "from = "+from, "to = "+testLatch))
	prints(c.t, c.planIs(true), from+" has moved to "+testLatch, "0 to add, 0 to change, 0 to destroy")
	c.shows(want, "tfplan")
	c.run(0, "apply", "-no-color", "tfplan")
	c.shows(want)
	c.planIs(false)
	c.declare(want.block())
	c.planIs(false)
	a.wrote(c.t)
	a.holds(c.t, want)
}

func TestAccCLIMove_terraformData(t *testing.T) {
	t.Parallel()
	want := held{2554529, 9007199254740993, 0}
	a := accountWith(t, want)
	c := newMoveCLI(t, a)
	c.declare(block(`resource "terraform_data" "former"`,
		"input = { fusebill_id = 2554529, hubspot_id = 9007199254740993, hubspot_company_id = null }"))
	c.apply()
	c.moves(a, "terraform_data.former", want)
}

// Each state is written by hand, as the provider of its resource writes it. Terraform wants that provider, since the state
// names it, and asks it for nothing but its schema. So ours stands in for it.
func TestAccCLIMove(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"restapi_object 1.19, refreshed", "restapi_object 2, whose data is the last answer", "restful_resource, as created", "null_resource",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, want := movable[name].from, movable[name].want
			a := accountWith(t, want)
			c := newMoveCLI(t, a)
			c.standIn(from.provider)
			c.write("terraform.tfstate", stateOf(from.inState("former")))
			c.moves(a, from.typeName+".former", want)
		})
	}
}

// A plan that can't tell the latch moves nothing, and says what to do instead, which does it.
func TestAccCLIMove_refused(t *testing.T) {
	t.Parallel()
	want := held{2554529, 101, 0}
	a := accountWith(t, want)
	c := newMoveCLI(t, a)
	former := block(`resource "terraform_data" "former"`, "input = { fusebill_id = 2554529 }")
	c.declare(former)
	c.apply()
	c.declare(want.block(), block("moved", "from = terraform_data.former", "to = "+testLatch))
	prints(t, c.run(1, "plan", "-no-color"), "Error: Moved resource holds no HubSpot latch",
		"its state holds no ID of a HubSpot contact or company for customer 2554529")
	c.declare(want.block(), block("import", "to = "+testLatch, `id = "2554529"`), removed("terraform_data.former"))
	c.apply()
	c.shows(want)
	a.wrote(t)

	c.declare(former)
	c.run(0, "state", "rm", testLatch)
	c.apply()
	c.declare(latchSet{want}.block(), block("moved", "from = terraform_data.former", "to = "+testSet))
	prints(t, c.run(1, "plan", "-no-color"), "Error: Unable to Move Resource State",
		"Source Resource Type: terraform_data", "Target Resource Type: fusebill_hubspot_latches")
}

// standIn lets the built provider stand in for other ones.
func (c *cli) standIn(addresses ...string) {
	c.t.Helper()
	binary, err := builtProvider()
	if err != nil {
		c.t.Fatal(err)
	}
	overrides := fmt.Sprintf("dev_overrides {\n    %q = %q\n", source, filepath.Dir(binary))
	for _, address := range addresses {
		dir := c.t.TempDir()
		if err := os.Symlink(binary, filepath.Join(dir, "terraform-provider-"+path.Base(address))); err != nil {
			c.t.Fatal(err)
		}
		_, source, _ := strings.Cut(address, "/") // The host is the CLI's own registry.
		overrides += fmt.Sprintf("    %q = %q\n", source, dir)
	}
	c.write("cli.tfrc", block("provider_installation", overrides+"  }", "direct {}"))
}
