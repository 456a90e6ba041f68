package provider

import (
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// The tests in this file check that an ID is a string in every schema, and that each argument that
// takes an ID refuses other strings with the same message, on the argument and before any call.

// idArgument is an argument that takes an ID.
type idArgument struct {
	kind idKind
	// beside holds the other arguments that the object needs.
	beside map[string]string
}

// idArguments are all arguments that take an ID, by the kind of object, its type, and their names.
var idArguments = map[string]map[string]map[string]idArgument{
	"resource": {acctest.LatchType: {
		"fusebill_id":        {idOfCustomer, map[string]string{"hubspot_id": "101"}},
		"hubspot_id":         {idOfContact, map[string]string{"fusebill_id": "11"}},
		"hubspot_company_id": {idOfCompany, map[string]string{"fusebill_id": "11"}},
	}},
	"data source": {"fusebill_customer": {
		"id": {kind: idOfCustomer}, "hubspot_id": {kind: idOfContact}, "hubspot_company_id": {kind: idOfCompany},
	}},
	"action": {acctest.UnlatchType: {
		"fusebill_id":        {kind: idOfCustomer},
		"hubspot_id":         {idOfContact, map[string]string{"fusebill_id": "11"}},
		"hubspot_company_id": {idOfCompany, map[string]string{"fusebill_id": "11"}},
	}},
}

// schemas are the schemas of all objects, by kind and type.
func schemasOf(p *acctest.Protocol) map[string]map[string]*tfprotov6.Schema {
	p.T.Helper()
	resp, err := p.Server.GetProviderSchema(p.T.Context(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		p.T.Fatal(err)
	}
	actions := map[string]*tfprotov6.Schema{}
	for name, action := range resp.ActionSchemas {
		actions[name] = action.Schema
	}
	return map[string]map[string]*tfprotov6.Schema{
		"resource": resp.ResourceSchemas, "data source": resp.DataSourceSchemas,
		"list resource": resp.ListResourceSchemas, "action": actions,
	}
}

func isIDName(name string) bool { return name == "id" || strings.HasSuffix(name, "_id") }

func TestProtocol_idsAreStrings(t *testing.T) {
	t.Parallel()
	p := acctest.NewProtocol(t, acctest.SimulatorWith())
	for kind, schemas := range schemasOf(p) {
		for typeName, schema := range schemas {
			check := func(typ tftypes.Type) {
				object, ok := typ.(tftypes.Object)
				for name, attribute := range object.AttributeTypes {
					if ok && isIDName(name) && !attribute.Is(tftypes.String) {
						t.Errorf("%s %s: %s is a %s", kind, typeName, name, attribute)
					}
				}
			}
			check(schema.ValueType())
			for _, attribute := range schema.Block.Attributes {
				switch typ := attribute.ValueType().(type) {
				case tftypes.List:
					check(typ.ElementType)
				case tftypes.Map:
					check(typ.ElementType)
				}
				if _, ok := idArguments[kind][typeName][attribute.Name]; !ok && isIDName(attribute.Name) &&
					(attribute.Optional || attribute.Required) {
					t.Errorf("%s %s: %s is missing in this file", kind, typeName, attribute.Name)
				}
			}
		}
	}
	if !p.IdentityType.AttributeTypes["fusebill_id"].Is(tftypes.String) {
		t.Errorf("the identity is %s", p.IdentityType)
	}
}

func TestProtocol_wrongIDs(t *testing.T) {
	t.Parallel()
	sim := acctest.SimulatorWith(acctest.Customer{ID: 11, Contact: 101, Company: 202})
	p := acctest.NewConfiguredProtocol(t, sim)
	all := schemasOf(p)
	for kind, objects := range idArguments {
		for typeName, arguments := range objects {
			typ := acctest.ObjectType(t, all[kind][typeName].ValueType())
			for name, argument := range arguments {
				config := func(value tftypes.Value) *tfprotov6.DynamicValue {
					attributes := map[string]tftypes.Value{name: value}
					for other, text := range argument.beside {
						attributes[other] = tftypes.NewValue(tftypes.String, text)
					}
					return p.Value(typ, attributes)
				}
				for _, text := range wrongIDs {
					value := config(tftypes.NewValue(tftypes.String, strings.ToValidUTF8(text, "\x01")))
					for step, diags := range refusals(p, kind, typeName, value) {
						if len(diags) != 1 {
							t.Errorf("%s of %s, %s = %q: %d diagnostics: %v", step, typeName, name, text, len(diags), diags)
							continue
						}
						got := *diags[0]
						want := tfprotov6.Diagnostic{
							Severity: tfprotov6.DiagnosticSeverityError, Attribute: tftypes.NewAttributePath().WithAttributeName(name),
							Summary: argument.kind.summary(), Detail: idFault(strings.ToValidUTF8(text, "\x01"), argument.kind),
						}
						if diff := gocmp.Diff(want, got); diff != "" {
							t.Errorf("%s of %s %s, %s = %q (- want, + got):\n%s", step, kind, typeName, name, text, diff)
						}
					}
				}
				for _, value := range []any{"9007199254740993", tftypes.UnknownValue} {
					for step, diags := range refusals(p, kind, typeName, config(tftypes.NewValue(tftypes.String, value))) {
						if step == "validation" && len(diags) > 0 {
							t.Errorf("%s of %s %s, %s = %v: %v", step, kind, typeName, name, value, diags)
						}
					}
				}
			}
		}
	}
	if n := sim.Count(); n > 0 {
		t.Errorf("%d calls were made", n)
	}
}

// refusals returns the diagnostics of each step in which an object has to refuse invalid IDs. A CLI
// validates resources and data sources each time it evaluates them, but an action only once.
func refusals(
	p *acctest.Protocol, kind, typeName string, config *tfprotov6.DynamicValue,
) map[string][]*tfprotov6.Diagnostic {
	p.T.Helper()
	steps := map[string][]*tfprotov6.Diagnostic{}
	switch kind {
	case "resource":
		resp, err := p.Server.ValidateResourceConfig(p.T.Context(),
			&tfprotov6.ValidateResourceConfigRequest{TypeName: typeName, Config: config})
		if err != nil {
			p.T.Fatal(err)
		}
		steps["validation"] = resp.Diagnostics
	case "data source":
		resp, err := p.Server.ValidateDataResourceConfig(p.T.Context(),
			&tfprotov6.ValidateDataResourceConfigRequest{TypeName: typeName, Config: config})
		if err != nil {
			p.T.Fatal(err)
		}
		steps["validation"] = resp.Diagnostics
	case "action":
		validated, err := p.Actions().ValidateActionConfig(p.T.Context(),
			&tfprotov6.ValidateActionConfigRequest{ActionType: typeName, Config: config})
		if err != nil {
			p.T.Fatal(err)
		}
		steps["validation"] = validated.Diagnostics
		planned, err := p.Actions().PlanAction(p.T.Context(),
			&tfprotov6.PlanActionRequest{ActionType: typeName, Config: config})
		if err != nil {
			p.T.Fatal(err)
		}
		steps["plan"] = planned.Diagnostics
		if len(validated.Diagnostics) > 0 { // Else it would run.
			steps["invocation"] = invoke(p, config)
		}
	}
	return steps
}

// invoke invokes the action with a configuration that no CLI has validated.
func invoke(p *acctest.Protocol, config *tfprotov6.DynamicValue) (diags []*tfprotov6.Diagnostic) {
	p.T.Helper()
	stream, err := p.Actions().InvokeAction(p.T.Context(),
		&tfprotov6.InvokeActionRequest{ActionType: acctest.UnlatchType, Config: config})
	if err != nil {
		p.T.Fatal(err)
	}
	for event := range stream.Events {
		if completed, ok := event.Type.(tfprotov6.CompletedInvokeActionEventType); ok {
			diags = completed.Diagnostics
		}
	}
	return diags
}

func TestProtocol_wrongIDsOfImports(t *testing.T) {
	t.Parallel()
	sim := acctest.SimulatorWith(acctest.Customer{ID: 11, Contact: 101, Company: 202})
	p := acctest.NewConfiguredProtocol(t, sim)
	for _, text := range wrongIDs {
		text = strings.ToValidUTF8(text, "\x01")
		identity := &tfprotov6.ResourceIdentityData{IdentityData: p.Value(p.IdentityType, map[string]tftypes.Value{
			"fusebill_id": tftypes.NewValue(tftypes.String, text),
		})}
		for _, req := range []*tfprotov6.ImportResourceStateRequest{
			{TypeName: acctest.LatchType, ID: text}, {TypeName: acctest.LatchType, Identity: identity},
		} {
			resp, err := p.Server.ImportResourceState(t.Context(), req)
			p.Failed(resp.Diagnostics, err, "Invalid import ID", idFault(text, idOfCustomer))
		}
	}
	if n := sim.Count(); n > 0 {
		t.Errorf("%d calls were made", n)
	}
}

func TestProtocol_wrongIDsOfFunctions(t *testing.T) {
	t.Parallel()
	p := acctest.NewProtocol(t, acctest.SimulatorWith())
	for _, text := range append([]string{"101", "9007199254740993"}, wrongIDs...) {
		if slices.Contains([]string{contactURL, companyURL}, text) {
			continue
		}
		text = strings.ToValidUTF8(text, "\x01")
		resp, err := p.Server.CallFunction(t.Context(), &tfprotov6.CallFunctionRequest{
			Name:      "parse_hubspot_url",
			Arguments: []*tfprotov6.DynamicValue{p.Encode(tftypes.String, tftypes.NewValue(tftypes.String, text))},
		})
		switch {
		case err != nil:
			t.Fatal(err)
		case resp.Error == nil || resp.Error.FunctionArgument == nil || *resp.Error.FunctionArgument != 0:
			t.Errorf("%q: the error is not on the argument: %+v", text, resp.Error)
		case !strings.HasPrefix(resp.Error.Text, "The URL of a HubSpot contact or company is wanted, such as "):
			t.Errorf("%q: %s", text, resp.Error.Text)
		}
	}
}
