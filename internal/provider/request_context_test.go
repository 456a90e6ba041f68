package provider

import (
	"context"
	"runtime"
	"testing"
	"weak"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// The promise tested here: a request that is over leaves nothing behind. A plan makes tens of thousands.

type keptKey struct{}

// isForgotten says whether what a request's context carries is gone after the request.
func isForgotten(request func(context.Context)) bool {
	carried := func() weak.Pointer[[1024]byte] {
		value := new([1024]byte)
		request(context.WithValue(context.Background(), keptKey{}, value))
		return weak.Make(value)
	}()
	runtime.GC()
	return carried.Value() == nil
}

func TestRequestsAreForgotten(t *testing.T) {
	t.Parallel()
	server := newServer(&fusebillProvider{})()
	for name, request := range map[string]func(context.Context){
		"ValidateResourceConfig": func(ctx context.Context) {
			_, _ = server.ValidateResourceConfig(ctx, &tfprotov6.ValidateResourceConfigRequest{TypeName: acctest.LatchType})
		},
		"UpgradeResourceState": func(ctx context.Context) {
			_, _ = server.UpgradeResourceState(ctx, &tfprotov6.UpgradeResourceStateRequest{TypeName: acctest.LatchType})
		},
		"UpgradeResourceIdentity": func(ctx context.Context) {
			_, _ = server.UpgradeResourceIdentity(ctx, &tfprotov6.UpgradeResourceIdentityRequest{TypeName: acctest.LatchType})
		},
		"ReadResource": func(ctx context.Context) {
			_, _ = server.ReadResource(ctx, &tfprotov6.ReadResourceRequest{TypeName: acctest.LatchType})
		},
		"PlanResourceChange": func(ctx context.Context) {
			_, _ = server.PlanResourceChange(ctx, &tfprotov6.PlanResourceChangeRequest{TypeName: acctest.LatchType})
		},
		"ApplyResourceChange": func(ctx context.Context) {
			_, _ = server.ApplyResourceChange(ctx, &tfprotov6.ApplyResourceChangeRequest{TypeName: acctest.LatchType})
		},
		"ImportResourceState": func(ctx context.Context) {
			_, _ = server.ImportResourceState(ctx, &tfprotov6.ImportResourceStateRequest{TypeName: acctest.LatchType, ID: "x"})
		},
		"MoveResourceState": func(ctx context.Context) {
			_, _ = server.MoveResourceState(ctx, &tfprotov6.MoveResourceStateRequest{TargetTypeName: acctest.LatchType})
		},
		"ValidateDataResourceConfig": func(ctx context.Context) {
			_, _ = server.ValidateDataResourceConfig(ctx, &tfprotov6.ValidateDataResourceConfigRequest{TypeName: acctest.LatchType})
		},
		"ReadDataSource": func(ctx context.Context) {
			_, _ = server.ReadDataSource(ctx, &tfprotov6.ReadDataSourceRequest{TypeName: acctest.LatchType})
		},
	} {
		t.Run(name, func(t *testing.T) {
			if !isForgotten(request) {
				t.Error("its context is still held")
			}
		})
	}
}

// What goes on after a request, as a read that others have joined does, finds a context that is over, and no panic.
func TestRequestContext_afterItsRequest(t *testing.T) {
	t.Parallel()
	var kept context.Context
	_, _ = forget(context.WithValue(t.Context(), keptKey{}, 1), 0, func(ctx context.Context, _ int) (int, error) {
		kept = ctx
		if _, ok := ctx.Deadline(); ok || ctx.Err() != nil || ctx.Value(keptKey{}) != 1 {
			t.Error("it isn't the request's context while that lasts")
		}
		return 0, nil
	})
	<-kept.Done()
	if kept.Err() == nil || kept.Value(keptKey{}) != nil {
		t.Error("it is still the request's context")
	}
	child, cancel := context.WithCancel(context.WithoutCancel(kept))
	defer cancel()
	if child.Err() != nil {
		t.Error("what was detached from it is over, too")
	}
}
