package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// timedOutError ends an operation that takes longer than its timeout.
type timedOutError struct {
	limit time.Duration
}

func (e *timedOutError) Error() string {
	return fmt.Sprintf("the timeout of %s for this operation is over", e.limit)
}

// Is reports whether target is [context.DeadlineExceeded], the error of a context that has timed
// out. The packages below this one look for that error.
func (*timedOutError) Is(target error) bool { return target == context.DeadlineExceeded }

// withTimeout returns a context that ends after the timeout of an operation, or after byDefault if
// the configuration declares no timeout.
func withTimeout(
	ctx context.Context,
	timeout func(context.Context, time.Duration) (time.Duration, diag.Diagnostics),
	byDefault time.Duration,
	diags *diag.Diagnostics,
) (context.Context, context.CancelFunc) {
	// The library logs this message for every resource without a timeouts block, at the level of
	// the records about waits.
	quiet := tflog.OmitLogWithMessageStrings(ctx, "timeout configuration not found")
	limit, timeoutDiags := timeout(quiet, byDefault)
	diags.Append(timeoutDiags...)
	return context.WithTimeoutCause(ctx, limit, &timedOutError{limit})
}

// declaredTimeout returns the timeout that the configuration declares for an operation, or 0 if it
// declares none.
func declaredTimeout(t timeouts.Value, operation string) time.Duration {
	text, _ := t.Attributes()[operation].(types.String)
	timeout, err := time.ParseDuration(text.ValueString())
	if err != nil {
		return 0
	}
	return timeout
}
