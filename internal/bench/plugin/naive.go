package main

import (
	"context"
	"fmt"
	"math/big"
	"os"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

const latchResource = "fusebill_hubspot_latch"

// naive makes one call for each read of a latch. The client, with its connections, pacing and retries, is the production
// provider's; what lacks is the sharing of reads. The provider around it isn't configured, so that it makes no call.
type naive struct {
	tfprotov6.ProviderServer

	client *fusebill.Client
	state  tftypes.Type // of a latch
}

func newNaive(ctx context.Context, production tfprotov6.ProviderServer) (*naive, error) {
	client, err := fusebill.NewClient(os.Getenv("FUSEBILL_API_KEY"), fusebill.WithBaseURL(os.Getenv("FUSEBILL_BASE_URL")))
	if err != nil {
		return nil, err
	}
	schemas, err := production.GetProviderSchema(ctx, &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		return nil, err
	}
	schema, ok := schemas.ResourceSchemas[latchResource]
	if !ok {
		return nil, fmt.Errorf("the provider has no %s", latchResource)
	}
	return &naive{ProviderServer: production, client: client, state: schema.ValueType()}, nil
}

func (*naive) ConfigureProvider(
	context.Context, *tfprotov6.ConfigureProviderRequest,
) (*tfprotov6.ConfigureProviderResponse, error) {
	return &tfprotov6.ConfigureProviderResponse{}, nil
}

func (n *naive) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	if req.TypeName != latchResource {
		return n.ProviderServer.ReadResource(ctx, req)
	}
	state, err := n.read(ctx, req.CurrentState)
	if err != nil {
		return nil, err
	}
	return &tfprotov6.ReadResourceResponse{NewState: state, NewIdentity: req.CurrentIdentity, Private: req.Private}, nil
}

// read brings a latch's state up to date.
func (n *naive) read(ctx context.Context, old *tfprotov6.DynamicValue) (*tfprotov6.DynamicValue, error) {
	value, err := old.Unmarshal(n.state)
	if err != nil {
		return nil, err
	}
	var attributes map[string]tftypes.Value
	if err := value.As(&attributes); err != nil {
		return nil, err
	}
	var id big.Float
	if err := attributes["fusebill_id"].As(&id); err != nil {
		return nil, err
	}
	customerID, _ := id.Int64()
	customer, err := n.client.Customer(ctx, customerID)
	if err != nil {
		return nil, err
	}
	attributes["hubspot_id"] = numberOrNull(customer.Latch.HubSpotID)
	attributes["hubspot_company_id"] = numberOrNull(customer.Latch.HubSpotCompanyID)
	state, err := tfprotov6.NewDynamicValue(n.state, tftypes.NewValue(n.state, attributes))
	return &state, err
}

func numberOrNull(id int64) tftypes.Value {
	if id == 0 {
		return tftypes.NewValue(tftypes.Number, nil)
	}
	return tftypes.NewValue(tftypes.Number, id)
}
