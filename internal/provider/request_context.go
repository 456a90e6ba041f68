package provider

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// forgettingServer keeps the framework from holding on to the contexts of requests that are over. The framework keeps the
// cancel function of each (in version 1.19, contextCancels of its server), and with it the request's loggers and streams:
// 10 KiB, five times for each latch of a plan.
//
// Only what comes once for each instance is here. Besides, requests that answer by a stream go on after they return.
type forgettingServer struct {
	frameworkServer
}

// forget makes a call with a context that is empty once the call is over.
func forget[Req, Resp any](ctx context.Context, req Req, call func(context.Context, Req) (Resp, error)) (Resp, error) {
	request := &requestContext{}
	request.current.Store(&ctx)
	defer request.current.Store(&noRequest)
	return call(request, req)
}

// requestContext is the context of a request, and of none after that.
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

// ValidateResourceConfig implements [tfprotov6.ProviderServer].
func (s forgettingServer) ValidateResourceConfig(
	ctx context.Context, req *tfprotov6.ValidateResourceConfigRequest,
) (*tfprotov6.ValidateResourceConfigResponse, error) {
	return forget(ctx, req, s.frameworkServer.ValidateResourceConfig)
}

// UpgradeResourceState implements [tfprotov6.ProviderServer].
func (s forgettingServer) UpgradeResourceState(
	ctx context.Context, req *tfprotov6.UpgradeResourceStateRequest,
) (*tfprotov6.UpgradeResourceStateResponse, error) {
	return forget(ctx, req, s.frameworkServer.UpgradeResourceState)
}

// UpgradeResourceIdentity implements [tfprotov6.ProviderServer].
func (s forgettingServer) UpgradeResourceIdentity(
	ctx context.Context, req *tfprotov6.UpgradeResourceIdentityRequest,
) (*tfprotov6.UpgradeResourceIdentityResponse, error) {
	return forget(ctx, req, s.frameworkServer.UpgradeResourceIdentity)
}

// ReadResource implements [tfprotov6.ProviderServer].
func (s forgettingServer) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (*tfprotov6.ReadResourceResponse, error) {
	return forget(ctx, req, s.frameworkServer.ReadResource)
}

// PlanResourceChange implements [tfprotov6.ProviderServer].
func (s forgettingServer) PlanResourceChange(
	ctx context.Context, req *tfprotov6.PlanResourceChangeRequest,
) (*tfprotov6.PlanResourceChangeResponse, error) {
	return forget(ctx, req, s.frameworkServer.PlanResourceChange)
}

// ApplyResourceChange implements [tfprotov6.ProviderServer].
func (s forgettingServer) ApplyResourceChange(
	ctx context.Context, req *tfprotov6.ApplyResourceChangeRequest,
) (*tfprotov6.ApplyResourceChangeResponse, error) {
	return forget(ctx, req, s.frameworkServer.ApplyResourceChange)
}

// ImportResourceState implements [tfprotov6.ProviderServer].
func (s forgettingServer) ImportResourceState(
	ctx context.Context, req *tfprotov6.ImportResourceStateRequest,
) (*tfprotov6.ImportResourceStateResponse, error) {
	return forget(ctx, req, s.frameworkServer.ImportResourceState)
}

// MoveResourceState implements [tfprotov6.ProviderServer].
func (s forgettingServer) MoveResourceState(
	ctx context.Context, req *tfprotov6.MoveResourceStateRequest,
) (*tfprotov6.MoveResourceStateResponse, error) {
	return forget(ctx, req, s.frameworkServer.MoveResourceState)
}

// ValidateDataResourceConfig implements [tfprotov6.ProviderServer].
func (s forgettingServer) ValidateDataResourceConfig(
	ctx context.Context, req *tfprotov6.ValidateDataResourceConfigRequest,
) (*tfprotov6.ValidateDataResourceConfigResponse, error) {
	return forget(ctx, req, s.frameworkServer.ValidateDataResourceConfig)
}

// ReadDataSource implements [tfprotov6.ProviderServer].
func (s forgettingServer) ReadDataSource(
	ctx context.Context, req *tfprotov6.ReadDataSourceRequest,
) (*tfprotov6.ReadDataSourceResponse, error) {
	return forget(ctx, req, s.frameworkServer.ReadDataSource)
}
