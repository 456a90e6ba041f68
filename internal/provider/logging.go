package provider

import (
	"context"
	"log/slog"
	"slices"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// logSubsystem is the name of the log of the API calls. TF_LOG_PROVIDER_FUSEBILL_HTTP sets its
// level independently of the level of the rest of the provider.
const logSubsystem = "fusebill_http"

// logHandler writes the client's log records to Terraform's log, with the context of the call that
// they belong to.
type logHandler struct {
	// mask returns a context that has the subsystem and masks the key. Handle calls it for each
	// record: each call of Terraform has a context of its own, and a mask on another context has no
	// effect.
	mask  func(context.Context) context.Context
	attrs []slog.Attr
}

var _ slog.Handler = logHandler{}

// newLogHandler returns a handler that masks key. The client never logs the key, so the mask is a
// second safeguard. A closure holds the key, so printing the handler does not print the key.
func newLogHandler(key string) logHandler {
	masked := []string{key}
	if bare, err := fusebill.ParseAPIKey(key); err == nil {
		masked = append(masked, bare)
	}
	return logHandler{mask: func(ctx context.Context) context.Context {
		ctx = tflog.NewSubsystem(ctx, logSubsystem, tflog.WithRootFields(),
			tflog.WithLevelFromEnv("TF_LOG_PROVIDER_FUSEBILL", "HTTP"))
		return tflog.SubsystemMaskLogStrings(ctx, logSubsystem, masked...)
	}}
}

// Enabled reports true for every level, because Terraform's log filters the records and does not
// expose its level.
func (h logHandler) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements [slog.Handler].
func (h logHandler) Handle(ctx context.Context, record slog.Record) error {
	fields := make(map[string]any, record.NumAttrs()+len(h.attrs))
	for _, attr := range h.attrs {
		fields[attr.Key] = attr.Value.String()
	}
	record.Attrs(func(attr slog.Attr) bool {
		fields[attr.Key] = attr.Value.String()
		return true
	})
	ctx = h.mask(ctx)
	switch {
	case record.Level >= slog.LevelWarn:
		tflog.SubsystemWarn(ctx, logSubsystem, record.Message, fields)
	case record.Level >= slog.LevelInfo:
		tflog.SubsystemInfo(ctx, logSubsystem, record.Message, fields)
	case record.Level >= slog.LevelDebug:
		tflog.SubsystemDebug(ctx, logSubsystem, record.Message, fields)
	default:
		tflog.SubsystemTrace(ctx, logSubsystem, record.Message, fields)
	}
	return nil
}

// WithAttrs implements [slog.Handler].
func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.attrs = append(slices.Clip(h.attrs), attrs...)
	return h
}

// WithGroup implements [slog.Handler]. The client uses no groups.
func (h logHandler) WithGroup(string) slog.Handler { return h }
