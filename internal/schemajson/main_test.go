package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/provider"
)

func TestMain(m *testing.M) { acctest.Main(m, provider.NewServerWith) }

// TestAccSchemaJSON compares all that the CLI of this machine prints of the provider. An older CLI
// does not print all of it, so the test looks for the newer kinds, too.
func TestAccSchemaJSON(t *testing.T) {
	t.Parallel()
	c := acctest.NewWorkspace(t, acctest.AccountWith(t))
	c.Install()
	c.Run(0, "init", "-no-color")
	cmd, output := c.Command("providers", "schema", "-json")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	text, err := schemaJSON(t.Context(), provider.NewServer("test")())
	if err != nil {
		t.Fatal(err)
	}
	got, want := readSchemas(t, text), readSchemas(t, output.Bytes())
	for kind, schemas := range want {
		if diff := cmp.Diff(schemas, got[kind]); diff != "" {
			t.Errorf("%s (- CLI, + schemajson):\n%s", kind, diff)
		}
	}
	for _, name := range []string{"resource_identity_schemas/fusebill_hubspot_latch",
		"list_resource_schemas/fusebill_hubspot_latch", "action_schemas/fusebill_hubspot_unlatch",
		"functions/parse_hubspot_url"} {
		kind, object, _ := strings.Cut(name, "/")
		if schemas, _ := got[kind].(map[string]any); schemas[object] == nil {
			t.Errorf("no %s", name)
		}
	}
}

// readSchemas returns the schemas of the only provider in a text.
func readSchemas(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var all struct {
		Providers map[string]map[string]any `json:"provider_schemas"`
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, schemas := range all.Providers {
		return schemas
	}
	t.Fatalf("no provider in\n%s", text)
	return nil
}
