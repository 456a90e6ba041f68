package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// The types below are the JSON form. They aren't those of github.com/hashicorp/terraform-json, since there the type of an
// attribute is a cty.Type: each would have to be converted, for a form into which tftypes.Type turns itself.

type providerSchemas struct {
	FormatVersion string                    `json:"format_version"`
	Schemas       map[string]providerSchema `json:"provider_schemas"`
}

type providerSchema struct {
	Provider           schema                    `json:"provider"`
	Resources          map[string]schema         `json:"resource_schemas,omitempty"`
	DataSources        map[string]schema         `json:"data_source_schemas,omitempty"`
	EphemeralResources map[string]schema         `json:"ephemeral_resource_schemas,omitempty"`
	ListResources      map[string]schema         `json:"list_resource_schemas,omitempty"`
	Actions            map[string]actionSchema   `json:"action_schemas,omitempty"`
	Functions          map[string]function       `json:"functions,omitempty"`
	Identities         map[string]identitySchema `json:"resource_identity_schemas,omitempty"`
}

type schema struct {
	Version int64  `json:"version"`
	Block   *block `json:"block,omitempty"`
}

type actionSchema struct {
	Block *block `json:"block,omitempty"`
}

type block struct {
	Attributes      map[string]attribute `json:"attributes,omitempty"`
	Blocks          map[string]blockType `json:"block_types,omitempty"`
	Description     string               `json:"description,omitempty"`
	DescriptionKind string               `json:"description_kind"`
	Deprecated      bool                 `json:"deprecated,omitempty"`
}

type blockType struct {
	NestingMode string `json:"nesting_mode"`
	Block       *block `json:"block,omitempty"`
	MinItems    int64  `json:"min_items,omitempty"`
	MaxItems    int64  `json:"max_items,omitempty"`
}

// attribute has a Type or a NestedType. tftypes.Type turns itself into JSON, in Terraform's form.
type attribute struct {
	Type            tftypes.Type `json:"type,omitempty"`
	NestedType      *nestedType  `json:"nested_type,omitempty"`
	Description     string       `json:"description,omitempty"`
	DescriptionKind string       `json:"description_kind"`
	Deprecated      bool         `json:"deprecated,omitempty"`
	Required        bool         `json:"required,omitempty"`
	Optional        bool         `json:"optional,omitempty"`
	Computed        bool         `json:"computed,omitempty"`
	Sensitive       bool         `json:"sensitive,omitempty"`
	WriteOnly       bool         `json:"write_only,omitempty"`
}

type nestedType struct {
	Attributes  map[string]attribute `json:"attributes,omitempty"`
	NestingMode string               `json:"nesting_mode"`
}

type function struct {
	Description        string       `json:"description,omitempty"`
	Summary            string       `json:"summary,omitempty"`
	DeprecationMessage string       `json:"deprecation_message,omitempty"`
	ReturnType         tftypes.Type `json:"return_type"`
	Parameters         []parameter  `json:"parameters,omitempty"`
	VariadicParameter  *parameter   `json:"variadic_parameter,omitempty"`
}

type parameter struct {
	Name        string       `json:"name,omitempty"`
	Description string       `json:"description,omitempty"`
	IsNullable  bool         `json:"is_nullable,omitempty"`
	Type        tftypes.Type `json:"type"`
}

type identitySchema struct {
	Version    int64                        `json:"version"`
	Attributes map[string]identityAttribute `json:"attributes,omitempty"`
}

type identityAttribute struct {
	Type              tftypes.Type `json:"type"`
	Description       string       `json:"description,omitempty"`
	RequiredForImport bool         `json:"required_for_import,omitempty"`
	OptionalForImport bool         `json:"optional_for_import,omitempty"`
}

// schemaJSON asks server for all its schemas and returns them as JSON.
func schemaJSON(ctx context.Context, server tfprotov6.ProviderServer) ([]byte, error) {
	schemas, err := server.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err == nil {
		err = firstError(schemas.Diagnostics)
	}
	if err != nil {
		return nil, fmt.Errorf("asking the provider for its schema: %w", err)
	}

	identities, err := server.GetResourceIdentitySchemas(ctx, &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err == nil {
		err = firstError(identities.Diagnostics)
	}
	if err != nil {
		return nil, fmt.Errorf("asking the provider for its resource identities: %w", err)
	}

	return json.MarshalIndent(providerSchemas{
		FormatVersion: "1.0",
		Schemas: map[string]providerSchema{providerKey: {
			Provider:           toSchema(schemas.Provider),
			Resources:          mapValues(schemas.ResourceSchemas, toSchema),
			DataSources:        mapValues(schemas.DataSourceSchemas, toSchema),
			EphemeralResources: mapValues(schemas.EphemeralResourceSchemas, toSchema),
			ListResources:      mapValues(schemas.ListResourceSchemas, toSchema),
			Actions:            mapValues(schemas.ActionSchemas, toActionSchema),
			Functions:          mapValues(schemas.Functions, toFunction),
			Identities:         mapValues(identities.IdentitySchemas, toIdentitySchema),
		}},
	}, "", "  ")
}

func firstError(diagnostics []*tfprotov6.Diagnostic) error {
	for _, d := range diagnostics {
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			return errors.New(d.Summary + ": " + d.Detail)
		}
	}
	return nil
}

func mapValues[From, To any](from map[string]From, convert func(From) To) map[string]To {
	to := make(map[string]To, len(from))
	for name, value := range from {
		to[name] = convert(value)
	}
	return to
}

func toSchema(s *tfprotov6.Schema) schema {
	// A provider without configuration has no schema at all.
	if s == nil {
		return schema{}
	}
	return schema{Version: s.Version, Block: toBlock(s.Block)}
}

func toActionSchema(s *tfprotov6.ActionSchema) actionSchema {
	return actionSchema{Block: toBlock(s.Schema.Block)}
}

func toBlock(b *tfprotov6.SchemaBlock) *block {
	blocks := make(map[string]blockType, len(b.BlockTypes))
	for _, nested := range b.BlockTypes {
		blocks[nested.TypeName] = blockType{
			NestingMode: strings.ToLower(nested.Nesting.String()),
			Block:       toBlock(nested.Block),
			MinItems:    nested.MinItems,
			MaxItems:    nested.MaxItems,
		}
	}
	return &block{
		Attributes:      toAttributes(b.Attributes),
		Blocks:          blocks,
		Description:     b.Description,
		DescriptionKind: toKind(b.DescriptionKind),
		Deprecated:      b.Deprecated,
	}
}

func toAttributes(from []*tfprotov6.SchemaAttribute) map[string]attribute {
	to := make(map[string]attribute, len(from))
	for _, a := range from {
		to[a.Name] = attribute{
			Type:            a.Type,
			NestedType:      toNestedType(a.NestedType),
			Description:     a.Description,
			DescriptionKind: toKind(a.DescriptionKind),
			Deprecated:      a.Deprecated,
			Required:        a.Required,
			Optional:        a.Optional,
			Computed:        a.Computed,
			Sensitive:       a.Sensitive,
			WriteOnly:       a.WriteOnly,
		}
	}
	return to
}

func toNestedType(o *tfprotov6.SchemaObject) *nestedType {
	if o == nil {
		return nil
	}
	return &nestedType{
		Attributes:  toAttributes(o.Attributes),
		NestingMode: strings.ToLower(o.Nesting.String()),
	}
}

func toFunction(f *tfprotov6.Function) function {
	var parameters []parameter
	for _, p := range f.Parameters {
		parameters = append(parameters, toParameter(p))
	}
	var variadic *parameter
	if f.VariadicParameter != nil {
		p := toParameter(f.VariadicParameter)
		variadic = &p
	}
	return function{
		Description:        f.Description,
		Summary:            f.Summary,
		DeprecationMessage: f.DeprecationMessage,
		ReturnType:         f.Return.Type,
		Parameters:         parameters,
		VariadicParameter:  variadic,
	}
}

func toParameter(p *tfprotov6.FunctionParameter) parameter {
	return parameter{
		Name:        p.Name,
		Description: p.Description,
		IsNullable:  p.AllowNullValue,
		Type:        p.Type,
	}
}

func toIdentitySchema(s *tfprotov6.ResourceIdentitySchema) identitySchema {
	attributes := make(map[string]identityAttribute, len(s.IdentityAttributes))
	for _, a := range s.IdentityAttributes {
		attributes[a.Name] = identityAttribute{
			Type:              a.Type,
			Description:       a.Description,
			RequiredForImport: a.RequiredForImport,
			OptionalForImport: a.OptionalForImport,
		}
	}
	return identitySchema{Version: s.Version, Attributes: attributes}
}

func toKind(k tfprotov6.StringKind) string {
	return strings.ToLower(k.String())
}
