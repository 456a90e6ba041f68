package provider

import (
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

func TestMain(m *testing.M) { acctest.Main(m, NewServerWith) }

// acctest cannot import this package, so it repeats some names.
func TestNamesOfAcctest(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		"registry.terraform.io/" + acctest.Source: Address,
		acctest.EnvAPIKey:                         envAPIKey,
		acctest.EnvBaseURL:                        envBaseURL,
		acctest.LatchesType:                       latchesType,
	} {
		if got != want {
			t.Errorf("acctest has %q, want %q", got, want)
		}
	}
}
