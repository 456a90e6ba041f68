package provider

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// packingServer stands between Terraform and the framework for fusebill_hubspot_latches, and hands the framework the map
// of latches as one text (see latchTexts). To Terraform it is the map that it is.
//
// The framework visits every part of a value in each call and looks a logger up through all the visits before (in version
// 1.19, NullifyWriteOnlyAttributes makes its context one longer at each visit), so its time grows with the square of the
// latches: 10,000 took it ten seconds a call, and as a nested attribute forty. One text is one visit.
type packingServer struct {
	frameworkServer
	types func() (resourceTypes, error)
}

// frameworkServer is what the framework's server implements. What isn't named here Terraform wouldn't find behind the
// packingServer.
type frameworkServer interface {
	tfprotov6.ProviderServer
	tfprotov6.ListResourceServer
	tfprotov6.ActionServer
}

// resourceTypes are the types of the resource as the framework sees it and as Terraform does.
type resourceTypes struct {
	inner, outer tftypes.Object
}

func newPackingServer(server tfprotov6.ProviderServer) *packingServer {
	framework, ok := server.(frameworkServer)
	if !ok {
		panic(fmt.Sprintf("%T lacks what the framework's server had in version 1.19", server))
	}
	return &packingServer{frameworkServer: forgettingServer{framework}, types: sync.OnceValues(func() (t resourceTypes, err error) {
		schema, err := framework.GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
		if err != nil {
			return t, err
		}
		t.inner, _ = schema.ResourceSchemas[latchesType].ValueType().(tftypes.Object)
		t.outer.AttributeTypes = maps.Clone(t.inner.AttributeTypes)
		t.outer.AttributeTypes[latchesAttribute] = latchMapType
		return t, nil
	})}
}

const (
	latchesType      = "fusebill_hubspot_latches"
	latchesAttribute = "latches"
)

// GetProviderSchema shows Terraform the map.
func (s *packingServer) GetProviderSchema(
	ctx context.Context, req *tfprotov6.GetProviderSchemaRequest,
) (*tfprotov6.GetProviderSchemaResponse, error) {
	resp, err := s.frameworkServer.GetProviderSchema(ctx, req)
	if err != nil || resp.ResourceSchemas[latchesType] == nil {
		return resp, err
	}
	for _, attribute := range resp.ResourceSchemas[latchesType].Block.Attributes {
		if attribute.Name == latchesAttribute {
			attribute.Type = latchMapType
		}
	}
	return resp, nil
}

// ValidateResourceConfig packs the configuration.
func (s *packingServer) ValidateResourceConfig(
	ctx context.Context, req *tfprotov6.ValidateResourceConfigRequest,
) (*tfprotov6.ValidateResourceConfigResponse, error) {
	if req.TypeName == latchesType {
		packed := *req
		if err := s.pack(&packed.Config); err != nil {
			return nil, err
		}
		req = &packed
	}
	return s.frameworkServer.ValidateResourceConfig(ctx, req)
}

// UpgradeResourceState answers by itself: there is one version, and the framework would read the map as a text.
func (s *packingServer) UpgradeResourceState(
	ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest,
) (*tfprotov6.UpgradeResourceStateResponse, error) {
	if req.TypeName != latchesType {
		return s.frameworkServer.UpgradeResourceState(ctx, req)
	}
	types, err := s.types()
	if err != nil {
		return nil, err
	}
	value, err := req.RawState.UnmarshalWithOpts(types.outer, tfprotov6.UnmarshalOpts{
		ValueFromJSONOpts: tftypes.ValueFromJSONOpts{IgnoreUndefinedAttributes: true},
	})
	if err != nil {
		return nil, fmt.Errorf("the state isn't of the form that this version of the provider writes: %w", err)
	}
	state, err := tfprotov6.NewDynamicValue(types.outer, value)
	return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &state}, err
}

// ReadResource packs the state and unpacks the new one.
func (s *packingServer) ReadResource(
	ctx context.Context, req *tfprotov6.ReadResourceRequest,
) (*tfprotov6.ReadResourceResponse, error) {
	if req.TypeName != latchesType {
		return s.frameworkServer.ReadResource(ctx, req)
	}
	packed := *req
	if err := s.pack(&packed.CurrentState); err != nil {
		return nil, err
	}
	resp, err := s.frameworkServer.ReadResource(ctx, &packed)
	if err != nil {
		return nil, err
	}
	return resp, s.unpack(&resp.NewState)
}

// PlanResourceChange packs the states and the configuration, and unpacks the plan.
func (s *packingServer) PlanResourceChange(
	ctx context.Context, req *tfprotov6.PlanResourceChangeRequest,
) (*tfprotov6.PlanResourceChangeResponse, error) {
	if req.TypeName != latchesType {
		return s.frameworkServer.PlanResourceChange(ctx, req)
	}
	packed := *req
	if err := s.pack(&packed.PriorState, &packed.ProposedNewState, &packed.Config); err != nil {
		return nil, err
	}
	resp, err := s.frameworkServer.PlanResourceChange(ctx, &packed)
	if err != nil {
		return nil, err
	}
	return resp, s.unpack(&resp.PlannedState)
}

// ApplyResourceChange packs the states and the configuration, and unpacks the new state.
func (s *packingServer) ApplyResourceChange(
	ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest,
) (*tfprotov6.ApplyResourceChangeResponse, error) {
	if req.TypeName != latchesType {
		return s.frameworkServer.ApplyResourceChange(ctx, req)
	}
	packed := *req
	if err := s.pack(&packed.PriorState, &packed.PlannedState, &packed.Config); err != nil {
		return nil, err
	}
	resp, err := s.frameworkServer.ApplyResourceChange(ctx, &packed)
	if err != nil {
		return nil, err
	}
	return resp, s.unpack(&resp.NewState)
}

// ImportResourceState unpacks the imported states.
func (s *packingServer) ImportResourceState(
	ctx context.Context, req *tfprotov6.ImportResourceStateRequest,
) (*tfprotov6.ImportResourceStateResponse, error) {
	resp, err := s.frameworkServer.ImportResourceState(ctx, req)
	if err != nil || req.TypeName != latchesType {
		return resp, err
	}
	for _, imported := range resp.ImportedResources {
		if err := s.unpack(&imported.State); err != nil {
			return nil, err
		}
	}
	return resp, nil
}

// GenerateResourceConfig packs the state and unpacks the configuration.
func (s *packingServer) GenerateResourceConfig(
	ctx context.Context, req *tfprotov6.GenerateResourceConfigRequest,
) (*tfprotov6.GenerateResourceConfigResponse, error) {
	if req.TypeName != latchesType {
		return s.frameworkServer.GenerateResourceConfig(ctx, req)
	}
	packed := *req
	if err := s.pack(&packed.State); err != nil {
		return nil, err
	}
	resp, err := s.frameworkServer.GenerateResourceConfig(ctx, &packed)
	if err != nil {
		return nil, err
	}
	return resp, s.unpack(&resp.Config)
}

// pack replaces values that Terraform sent by those that the framework takes.
func (s *packingServer) pack(values ...**tfprotov6.DynamicValue) error {
	types, err := s.types()
	if err != nil {
		return err
	}
	return convertAll(values, types.outer, types.inner, packLatches)
}

// unpack replaces values of the framework by those that Terraform takes.
func (s *packingServer) unpack(values ...**tfprotov6.DynamicValue) error {
	types, err := s.types()
	if err != nil {
		return err
	}
	return convertAll(values, types.inner, types.outer, unpackLatches)
}

func convertAll(values []**tfprotov6.DynamicValue, from, to tftypes.Object, convert func(tftypes.Value) (tftypes.Value, error)) error {
	for _, value := range values {
		if *value == nil {
			continue
		}
		converted, err := convertValue(**value, from, to, convert)
		if err != nil {
			return err
		}
		*value = converted
	}
	return nil
}

func convertValue(
	value tfprotov6.DynamicValue, from, to tftypes.Object, convert func(tftypes.Value) (tftypes.Value, error),
) (*tfprotov6.DynamicValue, error) {
	resource, err := value.Unmarshal(from)
	if err != nil {
		return nil, err
	}
	converted := tftypes.NewValue(to, nil)
	if !resource.IsNull() {
		var attributes map[string]tftypes.Value
		if err := resource.As(&attributes); err != nil {
			return nil, err
		}
		if attributes[latchesAttribute], err = convert(attributes[latchesAttribute]); err != nil {
			return nil, err
		}
		converted = tftypes.NewValue(to, attributes)
	}
	dynamic, err := tfprotov6.NewDynamicValue(to, converted)
	return &dynamic, err
}
