package provider

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-log/tflog"
	"github.com/hashicorp/terraform-plugin-log/tflogtest"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// Each record of the client appears in Terraform's log of the call that it belongs to, at its
// level.
func TestLogHandler_writesToLogOfCall(t *testing.T) {
	t.Parallel()
	var first, second bytes.Buffer
	logger := slog.New(newLogHandler(acctest.APIKey))
	ctx := tflog.SetField(tflogtest.RootLogger(t.Context(), &first), "resource", "one")
	other := tflogtest.RootLogger(t.Context(), &second)

	logger.Log(ctx, fusebill.LevelTrace, "traced")
	logger.DebugContext(ctx, "debugged", "status", 200, "took", 1500*time.Millisecond)
	logger.With("try", 2).InfoContext(ctx, "informed")
	logger.WarnContext(ctx, "warned", "error", errors.New("broken"))
	logger.ErrorContext(other, "of another call")

	for output, want := range map[*bytes.Buffer][]map[string]any{
		&first: {
			{"@level": "trace", "@message": "traced", "@module": "provider.fusebill_http", "resource": "one"},
			{
				"@level": "debug", "@message": "debugged", "@module": "provider.fusebill_http", "resource": "one",
				"status": "200", "took": "1.5s",
			},
			{"@level": "info", "@message": "informed", "@module": "provider.fusebill_http", "resource": "one", "try": "2"},
			{"@level": "warn", "@message": "warned", "@module": "provider.fusebill_http", "resource": "one", "error": "broken"},
		},
		&second: {{"@level": "warn", "@message": "of another call", "@module": "provider.fusebill_http"}},
	} {
		got, err := tflogtest.MultilineJSONDecode(output)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("log differs (-want +got):\n%s", diff)
		}
	}
}

// The log handler masks the key even where the client logs it. Package acceptance searches the logs
// of whole runs for the key (secrets_test.go).
func TestLogHandler_masksKey(t *testing.T) {
	t.Parallel()
	var output bytes.Buffer
	ctx := tflogtest.RootLogger(t.Context(), &output)
	// The handler gets the key as users paste it, and masks the key without the prefix, too.
	logger := slog.New(newLogHandler(" Basic " + acctest.APIKey + "\n"))
	logger.InfoContext(ctx, "the key is "+acctest.APIKey,
		"header", "Basic "+acctest.APIKey, "error", errors.New(acctest.APIKey))
	logger.With("key", acctest.APIKey).InfoContext(ctx, "again")
	if text := output.String(); strings.Contains(text, acctest.APIKey) || strings.Count(text, "***") != 4 {
		t.Errorf("the key is not masked everywhere:\n%s", text)
	}
}
