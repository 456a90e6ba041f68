package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fusebill/terraform-provider-fusebill/internal/provider"
)

// fakeServer answers with fixed schemas; any other call panics.
type fakeServer struct {
	tfprotov6.ProviderServer
	schemas    tfprotov6.GetProviderSchemaResponse
	identities tfprotov6.GetResourceIdentitySchemasResponse
}

func (s fakeServer) GetProviderSchema(context.Context, *tfprotov6.GetProviderSchemaRequest) (*tfprotov6.GetProviderSchemaResponse, error) {
	return &s.schemas, nil
}

func (s fakeServer) GetResourceIdentitySchemas(context.Context, *tfprotov6.GetResourceIdentitySchemasRequest) (*tfprotov6.GetResourceIdentitySchemasResponse, error) {
	return &s.identities, nil
}

func TestSchemaJSON(t *testing.T) {
	t.Parallel()

	blockOf := func(attributes ...*tfprotov6.SchemaAttribute) *tfprotov6.Schema {
		return &tfprotov6.Schema{Version: 3, Block: &tfprotov6.SchemaBlock{Attributes: attributes}}
	}
	resource := func(s *tfprotov6.Schema) fakeServer {
		return fakeServer{schemas: tfprotov6.GetProviderSchemaResponse{ResourceSchemas: map[string]*tfprotov6.Schema{"r": s}}}
	}

	// want is the provider's schema without its configuration, which is empty but where a case says otherwise.
	tests := map[string]struct {
		server fakeServer
		want   string
	}{
		"provider configuration": {
			fakeServer{schemas: tfprotov6.GetProviderSchemaResponse{Provider: blockOf(&tfprotov6.SchemaAttribute{
				Name: "api_key", Type: tftypes.String, Optional: true, Sensitive: true,
				Description: "The *key*.", DescriptionKind: tfprotov6.StringKindMarkdown,
			})}},
			`{"provider":{"version":3,"block":{"attributes":{"api_key":{"type":"string",
				"description":"The *key*.","description_kind":"markdown","optional":true,"sensitive":true}},"description_kind":"plain"}}}`,
		},
		"block description": {
			resource(&tfprotov6.Schema{Block: &tfprotov6.SchemaBlock{
				Description: "A `latch`.", DescriptionKind: tfprotov6.StringKindMarkdown, Deprecated: true,
			}}),
			`{"resource_schemas":{"r":{"version":0,"block":{"description":"A ` + "`latch`" + `.","description_kind":"markdown","deprecated":true}}}}`,
		},
		"flags of attributes": {
			resource(blockOf(
				&tfprotov6.SchemaAttribute{Name: "computed", Type: tftypes.Bool, Computed: true},
				&tfprotov6.SchemaAttribute{Name: "deprecated", Type: tftypes.Number, Optional: true, Deprecated: true},
				&tfprotov6.SchemaAttribute{Name: "required", Type: tftypes.Number, Required: true},
				&tfprotov6.SchemaAttribute{Name: "write_only", Type: tftypes.String, Optional: true, WriteOnly: true},
			)),
			`{"resource_schemas":{"r":{"version":3,"block":{"attributes":{
				"computed":{"type":"bool","description_kind":"plain","computed":true},
				"deprecated":{"type":"number","description_kind":"plain","deprecated":true,"optional":true},
				"required":{"type":"number","description_kind":"plain","required":true},
				"write_only":{"type":"string","description_kind":"plain","optional":true,"write_only":true}
			},"description_kind":"plain"}}}}`,
		},
		"attribute types": {
			resource(blockOf(
				&tfprotov6.SchemaAttribute{Name: "any", Type: tftypes.DynamicPseudoType},
				&tfprotov6.SchemaAttribute{Name: "list", Type: tftypes.List{ElementType: tftypes.Number}},
				&tfprotov6.SchemaAttribute{Name: "map", Type: tftypes.Map{ElementType: tftypes.String}},
				&tfprotov6.SchemaAttribute{Name: "object", Type: tftypes.Object{AttributeTypes: map[string]tftypes.Type{
					"b": tftypes.Set{ElementType: tftypes.String}, "a": tftypes.Number,
				}}},
			)),
			`{"resource_schemas":{"r":{"version":3,"block":{"attributes":{
				"any":{"type":"dynamic","description_kind":"plain"},
				"list":{"type":["list","number"],"description_kind":"plain"},
				"map":{"type":["map","string"],"description_kind":"plain"},
				"object":{"type":["object",{"a":"number","b":["set","string"]}],"description_kind":"plain"}
			},"description_kind":"plain"}}}}`,
		},
		"nested attributes": {
			resource(blockOf(&tfprotov6.SchemaAttribute{Name: "latches", Required: true, NestedType: &tfprotov6.SchemaObject{
				Nesting:    tfprotov6.SchemaObjectNestingModeMap,
				Attributes: []*tfprotov6.SchemaAttribute{{Name: "hubspot_id", Type: tftypes.Number, Optional: true}},
			}})),
			`{"resource_schemas":{"r":{"version":3,"block":{"attributes":{"latches":{"nested_type":{
				"attributes":{"hubspot_id":{"type":"number","description_kind":"plain","optional":true}},"nesting_mode":"map"
			},"description_kind":"plain","required":true}},"description_kind":"plain"}}}}`,
		},
		"blocks": {
			resource(&tfprotov6.Schema{Block: &tfprotov6.SchemaBlock{BlockTypes: []*tfprotov6.SchemaNestedBlock{
				{
					TypeName: "timeouts", Nesting: tfprotov6.SchemaNestedBlockNestingModeSingle,
					Block: &tfprotov6.SchemaBlock{Attributes: []*tfprotov6.SchemaAttribute{{Name: "create", Type: tftypes.String, Optional: true}}},
				},
				{TypeName: "filter", Nesting: tfprotov6.SchemaNestedBlockNestingModeList, MinItems: 1, MaxItems: 2, Block: &tfprotov6.SchemaBlock{}},
			}}}),
			`{"resource_schemas":{"r":{"version":0,"block":{"block_types":{
				"filter":{"nesting_mode":"list","block":{"description_kind":"plain"},"min_items":1,"max_items":2},
				"timeouts":{"nesting_mode":"single","block":{
					"attributes":{"create":{"type":"string","description_kind":"plain","optional":true}},"description_kind":"plain"}}
			},"description_kind":"plain"}}}}`,
		},
		"each kind under its own key": {
			fakeServer{schemas: tfprotov6.GetProviderSchemaResponse{
				DataSourceSchemas:        map[string]*tfprotov6.Schema{"d": blockOf()},
				EphemeralResourceSchemas: map[string]*tfprotov6.Schema{"e": blockOf()},
				ListResourceSchemas:      map[string]*tfprotov6.Schema{"l": blockOf()},
				ActionSchemas:            map[string]*tfprotov6.ActionSchema{"a": {Schema: blockOf()}},
			}},
			`{
				"data_source_schemas":{"d":{"version":3,"block":{"description_kind":"plain"}}},
				"ephemeral_resource_schemas":{"e":{"version":3,"block":{"description_kind":"plain"}}},
				"list_resource_schemas":{"l":{"version":3,"block":{"description_kind":"plain"}}},
				"action_schemas":{"a":{"block":{"description_kind":"plain"}}}
			}`,
		},
		"functions": {
			fakeServer{schemas: tfprotov6.GetProviderSchemaResponse{Functions: map[string]*tfprotov6.Function{"parse": {
				Summary: "Parses.", Description: "Parses a URL.", DeprecationMessage: "Use another.",
				Parameters:        []*tfprotov6.FunctionParameter{{Name: "url", Description: "The URL.", Type: tftypes.String, AllowNullValue: true}},
				VariadicParameter: &tfprotov6.FunctionParameter{Name: "more", Type: tftypes.Number},
				Return:            &tfprotov6.FunctionReturn{Type: tftypes.Object{AttributeTypes: map[string]tftypes.Type{"id": tftypes.Number}}},
			}}}},
			`{"functions":{"parse":{"description":"Parses a URL.","summary":"Parses.","deprecation_message":"Use another.",
				"return_type":["object",{"id":"number"}],
				"parameters":[{"name":"url","description":"The URL.","is_nullable":true,"type":"string"}],
				"variadic_parameter":{"name":"more","type":"number"}}}}`,
		},
		"identity": {
			fakeServer{identities: tfprotov6.GetResourceIdentitySchemasResponse{IdentitySchemas: map[string]*tfprotov6.ResourceIdentitySchema{"r": {
				Version: 2, IdentityAttributes: []*tfprotov6.ResourceIdentitySchemaAttribute{
					{Name: "fusebill_id", Type: tftypes.Number, Description: "The customer.", RequiredForImport: true},
					{Name: "region", Type: tftypes.String, OptionalForImport: true},
				},
			}}}},
			`{"resource_identity_schemas":{"r":{"version":2,"attributes":{
				"fusebill_id":{"type":"number","description":"The customer.","required_for_import":true},
				"region":{"type":"string","optional_for_import":true}}}}}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got, err := schemaJSON(t.Context(), test.server)
			if err != nil {
				t.Fatal(err)
			}

			provider := test.want
			if !strings.HasPrefix(provider, `{"provider":`) {
				provider = `{"provider":{"version":0},` + strings.TrimPrefix(provider, "{")
			}
			want := indent(t, `{"format_version":"1.0","provider_schemas":{"fusebill":`+provider+`}}`)
			if diff := cmp.Diff(want, string(got)); diff != "" {
				t.Errorf("schema (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSchemaJSONPassesOnErrors(t *testing.T) {
	t.Parallel()

	failure := []*tfprotov6.Diagnostic{
		{Severity: tfprotov6.DiagnosticSeverityWarning, Summary: "not this"},
		{Severity: tfprotov6.DiagnosticSeverityError, Summary: "Bad schema", Detail: "r has no attributes"},
	}
	tests := map[string]fakeServer{
		"schemas":    {schemas: tfprotov6.GetProviderSchemaResponse{Diagnostics: failure}},
		"identities": {identities: tfprotov6.GetResourceIdentitySchemasResponse{Diagnostics: failure}},
	}
	for name, server := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := schemaJSON(t.Context(), server)
			if err == nil || !strings.HasSuffix(err.Error(), "Bad schema: r has no attributes") {
				t.Errorf("error = %v, want the provider's own", err)
			}
		})
	}
}

// The real provider, through the framework's own server.
func TestProviderSchemaJSON(t *testing.T) {
	t.Parallel()

	got, err := schemaJSON(t.Context(), provider.NewServer("test")())
	if err != nil {
		t.Fatal(err)
	}

	var schemas struct {
		Providers map[string]map[string]map[string]any `json:"provider_schemas"`
	}
	if err := json.Unmarshal(got, &schemas); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"resource_schemas", "resource_identity_schemas"} {
		if _, ok := schemas.Providers[providerKey][kind]["fusebill_hubspot_latch"]; !ok {
			t.Errorf("%s has no fusebill_hubspot_latch", kind)
		}
	}
}

func indent(t *testing.T, compact string) string {
	t.Helper()

	var b bytes.Buffer
	if err := json.Indent(&b, []byte(strings.Join(strings.Fields(compact), " ")), "", "  "); err != nil {
		t.Fatalf("%v in %s", err, compact)
	}
	return b.String()
}
