// Command schemajson prints the provider's schema in the JSON form of `terraform providers schema
// -json`, from which the documentation is generated.
//
// Terraform prints the same, but its versions before 1.14 leave out list resources and actions,
// those before 1.12 identities, and those before 1.8 functions. The documentation would lack the
// pages of these.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"reflect"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fusebill/terraform-provider-fusebill/internal/provider"
)

func main() {
	text, err := schemaJSON(context.Background(), provider.NewServer("dev")())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", text)
}

// object is a JSON object.
type object map[string]any

// schemaJSON returns all schemas of a server. It uses the short name of the provider, because the
// documentation generator recognizes full addresses only for HashiCorp's own providers.
func schemaJSON(ctx context.Context, server tfprotov6.ProviderServer) ([]byte, error) {
	s, err := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		return nil, err
	}
	identities, err := server.GetResourceIdentitySchemas(ctx, &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil {
		return nil, err
	}
	for _, d := range append(s.Diagnostics, identities.Diagnostics...) {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			return nil, fmt.Errorf("read the schema of the provider: %s: %s", d.Summary, d.Detail)
		}
	}
	return json.MarshalIndent(object{"format_version": "1.0", "provider_schemas": object{"fusebill": dropZero(object{
		"provider":                   ofSchema(s.Provider),
		"resource_schemas":           each(s.ResourceSchemas, ofSchema),
		"data_source_schemas":        each(s.DataSourceSchemas, ofSchema),
		"ephemeral_resource_schemas": each(s.EphemeralResourceSchemas, ofSchema),
		"list_resource_schemas":      each(s.ListResourceSchemas, ofSchema),
		"action_schemas": each(s.ActionSchemas, func(a *tfprotov6.ActionSchema) object {
			return object{"block": ofBlock(a.Schema.Block)}
		}),
		"functions":                 each(s.Functions, ofFunction),
		"resource_identity_schemas": each(identities.IdentitySchemas, ofIdentity),
	})}}, "", "  ")
}

// dropZero removes the values that Terraform leaves out: false, 0, empty strings and empty objects.
func dropZero(o object) object {
	for key, value := range o {
		if v := reflect.ValueOf(value); !v.IsValid() || v.IsZero() || v.Kind() == reflect.Map && v.Len() == 0 {
			delete(o, key)
		}
	}
	return o
}

// each converts the values of a map.
func each[T any](from map[string]T, convert func(T) object) object {
	to := object{}
	for name, value := range from {
		to[name] = convert(value)
	}
	return to
}

func ofSchema(s *tfprotov6.Schema) object {
	return object{"version": s.Version, "block": ofBlock(s.Block)}
}

func ofBlock(b *tfprotov6.SchemaBlock) object {
	blocks := object{}
	for _, nested := range b.BlockTypes {
		blocks[nested.TypeName] = dropZero(object{"nesting_mode": strings.ToLower(nested.Nesting.String()),
			"block": ofBlock(nested.Block), "min_items": nested.MinItems, "max_items": nested.MaxItems})
	}
	return dropZero(object{
		"attributes": ofAttributes(b.Attributes), "block_types": blocks, "description": b.Description,
		"description_kind": strings.ToLower(b.DescriptionKind.String()), "deprecated": b.Deprecated,
	})
}

func ofAttributes(from []*tfprotov6.SchemaAttribute) object {
	to := object{}
	for _, a := range from {
		attribute := dropZero(object{
			"type": a.Type, "description": a.Description, "description_kind": strings.ToLower(a.DescriptionKind.String()),
			"deprecated": a.Deprecated, "required": a.Required, "optional": a.Optional, "computed": a.Computed,
			"sensitive": a.Sensitive, "write_only": a.WriteOnly,
		})
		if n := a.NestedType; n != nil {
			attribute["nested_type"] = object{"attributes": ofAttributes(n.Attributes),
				"nesting_mode": strings.ToLower(n.Nesting.String())}
		}
		to[a.Name] = attribute
	}
	return to
}

func ofFunction(f *tfprotov6.Function) object {
	var parameters []object
	for _, p := range f.Parameters {
		parameters = append(parameters, ofParameter(p))
	}
	function := object{"description": f.Description, "summary": f.Summary, "deprecation_message": f.DeprecationMessage,
		"return_type": f.Return.Type, "parameters": parameters}
	if f.VariadicParameter != nil {
		function["variadic_parameter"] = ofParameter(f.VariadicParameter)
	}
	return dropZero(function)
}

func ofParameter(p *tfprotov6.FunctionParameter) object {
	return dropZero(object{"name": p.Name, "description": p.Description, "is_nullable": p.AllowNullValue, "type": p.Type})
}

func ofIdentity(s *tfprotov6.ResourceIdentitySchema) object {
	attributes := object{}
	for _, a := range s.IdentityAttributes {
		attributes[a.Name] = dropZero(object{"type": a.Type, "description": a.Description,
			"required_for_import": a.RequiredForImport, "optional_for_import": a.OptionalForImport})
	}
	return object{"version": s.Version, "attributes": attributes}
}
