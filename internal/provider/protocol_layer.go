package provider

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// protocolLayer serves Terraform's calls with the framework's server. It works around two costs of
// the framework (version 1.19). TestFrameworkStillNeedsTheProtocolLayer fails once a workaround is
// no longer needed.
//
// Large values: the framework visits each element of a value and makes its context one link longer
// at each visit: NullifyWriteOnlyAttributes in write_only_nullification.go, in every call, and
// MarkComputedNilsAsUnknown in server_planresourcechange.go assign to ctx, a variable that their
// callbacks capture, and look the logger up through the whole chain. The time grows with the square
// of the elements; 10,000 rows take ten seconds a call. See
// https://github.com/hashicorp/terraform-plugin-framework/issues/721 and
// https://github.com/hashicorp/terraform-plugin-framework/issues/775. The layer passes each map of
// a latch set to the framework as one string (see [stringMap]), which is one visit. Terraform sees
// maps. Once the contexts do not grow, remove pack and unpack, and make the attributes map
// attributes.
//
// Ended requests: the framework keeps the cancel function of each request (contextCancels of its
// server), and with it the loggers and streams of the request: 10 KiB, five times for each latch of
// a plan. The layer passes it a context that releases the request, see [requestContext]. Only calls
// that Terraform makes for each instance need this. It would not work for a request that returns a
// stream, which continues after the call returns. Once the framework releases requests, remove
// forget.
type protocolLayer struct {
	frameworkServer
	types func() (setTypes, error)
}

// frameworkServer has the methods of the framework's server. A method that is missing here is
// hidden from Terraform.
type frameworkServer interface {
	tfprotov6.ProviderServer
	tfprotov6.ListResourceServer
	tfprotov6.ActionServer
}

// setTypes are the types of a latch set as the framework sees it and as Terraform does.
type setTypes struct {
	framework, terraform tftypes.Object
}

const latchesType = "fusebill_hubspot_latches"

// isPacked reports whether an attribute of a latch set is a map to Terraform and a string to the
// framework.
func isPacked(attribute string) bool {
	return attribute == contactsAttribute || attribute == companiesAttribute || attribute == unlistedAttribute
}

func newProtocolLayer(server tfprotov6.ProviderServer) *protocolLayer {
	framework, ok := server.(frameworkServer)
	if !ok {
		panic(fmt.Sprintf("%T lacks a method that the framework's server has in version 1.19", server))
	}
	return &protocolLayer{frameworkServer: framework, types: sync.OnceValues(func() (t setTypes, err error) {
		schema, err := framework.GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
		if err != nil {
			return t, err
		}
		t.framework, _ = schema.ResourceSchemas[latchesType].ValueType().(tftypes.Object)
		t.terraform.AttributeTypes = maps.Clone(t.framework.AttributeTypes)
		for name := range t.terraform.AttributeTypes {
			if isPacked(name) {
				t.terraform.AttributeTypes[name] = mapOfStrings
			}
		}
		return t, nil
	})}
}

// GetProviderSchema returns a schema in which the packed attributes are maps.
func (l *protocolLayer) GetProviderSchema(
	ctx context.Context, req *tfprotov6.GetProviderSchemaRequest,
) (*tfprotov6.GetProviderSchemaResponse, error) {
	resp, err := l.frameworkServer.GetProviderSchema(ctx, req)
	if err != nil || resp.ResourceSchemas[latchesType] == nil {
		return resp, err
	}
	for _, attribute := range resp.ResourceSchemas[latchesType].Block.Attributes {
		if isPacked(attribute.Name) {
			attribute.Type = mapOfStrings
		}
	}
	return resp, nil
}

// ValidateResourceConfig implements [tfprotov6.ProviderServer].
func (l *protocolLayer) ValidateResourceConfig(
	ctx context.Context, req *tfprotov6.ValidateResourceConfigRequest,
) (*tfprotov6.ValidateResourceConfigResponse, error) {
	packed := *req
	if err := l.pack(req.TypeName, &packed.Config); err != nil {
		return nil, err
	}
	return forget(ctx, &packed, l.frameworkServer.ValidateResourceConfig)
}

// UpgradeResourceState decodes the state of a latch set, which has one version. The framework would
// read the maps as strings.
func (l *protocolLayer) UpgradeResourceState(
	ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest,
) (*tfprotov6.UpgradeResourceStateResponse, error) {
	if req.TypeName != latchesType {
		return forget(ctx, req, l.frameworkServer.UpgradeResourceState)
	}
	types, err := l.types()
	if err != nil {
		return nil, err
	}
	value, err := req.RawState.UnmarshalWithOpts(types.terraform, tfprotov6.UnmarshalOpts{
		ValueFromJSONOpts: tftypes.ValueFromJSONOpts{IgnoreUndefinedAttributes: true},
	})
	if err != nil {
		return nil, fmt.Errorf("the state does not have the form that this version of the provider writes: %w", err)
	}
	state, err := tfprotov6.NewDynamicValue(types.terraform, value)
	return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &state}, err
}

// UpgradeResourceIdentity implements [tfprotov6.ProviderServer].
func (l *protocolLayer) UpgradeResourceIdentity(
	ctx context.Context, req *tfprotov6.UpgradeResourceIdentityRequest,
) (*tfprotov6.UpgradeResourceIdentityResponse, error) {
	return forget(ctx, req, l.frameworkServer.UpgradeResourceIdentity)
}

// ReadResource implements [tfprotov6.ProviderServer].
func (l *protocolLayer) ReadResource(
	ctx context.Context, req *tfprotov6.ReadResourceRequest,
) (*tfprotov6.ReadResourceResponse, error) {
	packed := *req
	if err := l.pack(req.TypeName, &packed.CurrentState); err != nil {
		return nil, err
	}
	resp, err := forget(ctx, &packed, l.frameworkServer.ReadResource)
	if err != nil {
		return nil, err
	}
	return resp, l.unpack(req.TypeName, &resp.NewState)
}

// PlanResourceChange implements [tfprotov6.ProviderServer].
func (l *protocolLayer) PlanResourceChange(
	ctx context.Context, req *tfprotov6.PlanResourceChangeRequest,
) (*tfprotov6.PlanResourceChangeResponse, error) {
	packed := *req
	if err := l.pack(req.TypeName, &packed.PriorState, &packed.ProposedNewState, &packed.Config); err != nil {
		return nil, err
	}
	resp, err := forget(ctx, &packed, l.frameworkServer.PlanResourceChange)
	if err != nil {
		return nil, err
	}
	return resp, l.unpack(req.TypeName, &resp.PlannedState)
}

// ApplyResourceChange implements [tfprotov6.ProviderServer].
func (l *protocolLayer) ApplyResourceChange(
	ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest,
) (*tfprotov6.ApplyResourceChangeResponse, error) {
	packed := *req
	if err := l.pack(req.TypeName, &packed.PriorState, &packed.PlannedState, &packed.Config); err != nil {
		return nil, err
	}
	resp, err := forget(ctx, &packed, l.frameworkServer.ApplyResourceChange)
	if err != nil {
		return nil, err
	}
	return resp, l.unpack(req.TypeName, &resp.NewState)
}

// ImportResourceState implements [tfprotov6.ProviderServer].
func (l *protocolLayer) ImportResourceState(
	ctx context.Context, req *tfprotov6.ImportResourceStateRequest,
) (*tfprotov6.ImportResourceStateResponse, error) {
	resp, err := forget(ctx, req, l.frameworkServer.ImportResourceState)
	if err != nil {
		return nil, err
	}
	for _, imported := range resp.ImportedResources {
		if err := l.unpack(req.TypeName, &imported.State); err != nil {
			return nil, err
		}
	}
	return resp, nil
}

// GenerateResourceConfig implements [tfprotov6.ProviderServer].
func (l *protocolLayer) GenerateResourceConfig(
	ctx context.Context, req *tfprotov6.GenerateResourceConfigRequest,
) (*tfprotov6.GenerateResourceConfigResponse, error) {
	packed := *req
	if err := l.pack(req.TypeName, &packed.State); err != nil {
		return nil, err
	}
	resp, err := forget(ctx, &packed, l.frameworkServer.GenerateResourceConfig)
	if err != nil {
		return nil, err
	}
	return resp, l.unpack(req.TypeName, &resp.Config)
}

// MoveResourceState implements [tfprotov6.ProviderServer]. No resource can be moved to a latch set.
func (l *protocolLayer) MoveResourceState(
	ctx context.Context, req *tfprotov6.MoveResourceStateRequest,
) (*tfprotov6.MoveResourceStateResponse, error) {
	return forget(ctx, req, l.frameworkServer.MoveResourceState)
}

// ValidateDataResourceConfig implements [tfprotov6.ProviderServer].
func (l *protocolLayer) ValidateDataResourceConfig(
	ctx context.Context, req *tfprotov6.ValidateDataResourceConfigRequest,
) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return forget(ctx, req, l.frameworkServer.ValidateDataResourceConfig)
}

// ReadDataSource implements [tfprotov6.ProviderServer].
func (l *protocolLayer) ReadDataSource(
	ctx context.Context, req *tfprotov6.ReadDataSourceRequest,
) (*tfprotov6.ReadDataSourceResponse, error) {
	return forget(ctx, req, l.frameworkServer.ReadDataSource)
}

// pack converts the values of a latch set from the form of Terraform to that of the framework.
func (l *protocolLayer) pack(typeName string, values ...**tfprotov6.DynamicValue) error {
	if typeName != latchesType {
		return nil
	}
	types, err := l.types()
	if err != nil {
		return err
	}
	return convertAll(values, types.terraform, types.framework, packMap)
}

// unpack converts the values of a latch set from the form of the framework to that of Terraform.
func (l *protocolLayer) unpack(typeName string, values ...**tfprotov6.DynamicValue) error {
	if typeName != latchesType {
		return nil
	}
	types, err := l.types()
	if err != nil {
		return err
	}
	return convertAll(values, types.framework, types.terraform, unpackMap)
}

func convertAll(
	values []**tfprotov6.DynamicValue, from, to tftypes.Object, convert func(tftypes.Value) (tftypes.Value, error),
) error {
	for _, value := range values {
		if *value == nil {
			continue
		}
		converted, err := convertSet(**value, from, to, convert)
		if err != nil {
			return err
		}
		*value = converted
	}
	return nil
}

func convertSet(
	value tfprotov6.DynamicValue, from, to tftypes.Object, convert func(tftypes.Value) (tftypes.Value, error),
) (*tfprotov6.DynamicValue, error) {
	set, err := value.Unmarshal(from)
	if err != nil {
		return nil, err
	}
	converted := tftypes.NewValue(to, nil)
	if !set.IsNull() {
		var attributes map[string]tftypes.Value
		if err := set.As(&attributes); err != nil {
			return nil, err
		}
		for name, attribute := range attributes {
			if !isPacked(name) {
				continue
			}
			if attributes[name], err = convert(attribute); err != nil {
				return nil, err
			}
		}
		converted = tftypes.NewValue(to, attributes)
	}
	dynamic, err := tfprotov6.NewDynamicValue(to, converted)
	return &dynamic, err
}

// forget makes a call with a context that no longer refers to the request after the call returns.
func forget[Req, Resp any](ctx context.Context, req Req, call func(context.Context, Req) (Resp, error)) (Resp, error) {
	request := &requestContext{}
	request.current.Store(&ctx)
	defer request.current.Store(&noRequest)
	return call(request, req)
}

// requestContext is the context of a request until the request ends. After that it is a canceled
// context without values.
type requestContext struct {
	current atomic.Pointer[context.Context]
}

var noRequest = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

var _ context.Context = (*requestContext)(nil)

// Deadline implements [context.Context].
func (c *requestContext) Deadline() (time.Time, bool) { return (*c.current.Load()).Deadline() }

// Done implements [context.Context].
func (c *requestContext) Done() <-chan struct{} { return (*c.current.Load()).Done() }

// Err implements [context.Context].
func (c *requestContext) Err() error { return (*c.current.Load()).Err() }

// Value implements [context.Context].
func (c *requestContext) Value(key any) any { return (*c.current.Load()).Value(key) }
