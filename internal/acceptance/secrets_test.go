package acceptance

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// The promise tested here, and by every acceptance test at its end: no part of the key is in anything that a run prints or
// writes, be it output, errors, logs at TRACE, state, plans or the words of a crash.
//
// All tests give the key by the environment, so that the configuration and what Terraform makes of it have no key to hold.

// A key in the provider block goes where Terraform puts configurations, that is into plans. Nothing else may hold it.
func TestAccCLI_keyInProviderBlock(t *testing.T) {
	t.Parallel()
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	c := acctest.NewWorkspace(t, a)
	c.Setenv(acctest.EnvAPIKey, "")
	c.WithKey = []string{"provider.tf", "tfplan", "tfplan/tfconfig/m-/provider.tf"}
	c.Write("provider.tf", acctest.Required+acctest.ProviderBlock(fmt.Sprintf("api_key = %q", acctest.APIKey), fmt.Sprintf("base_url = %q", a.URL)))
	c.Declare(acctest.Customer{ID: 11, Contact: 101}.Block())
	c.PlanIs(true)
	c.Run(0, "show", "-no-color", "tfplan")
	c.Run(0, "apply", "-no-color", "tfplan")
	a.SetLatch(11, 999, 0)
	c.Apply()
	c.Run(0, "destroy", "-auto-approve")
}

// crashingTransport panics with a request in its hands.
type crashingTransport struct{}

func (crashingTransport) RoundTrip(*http.Request) (*http.Response, error) { panic("on purpose") }

// What Go prints of a crash are addresses, and the words of the panic. This crashes a process where it holds the key most
// openly: while a call is sent.
func TestCrashShowsNoKey(t *testing.T) {
	t.Parallel()
	const variable = "FUSEBILL_TEST_CRASH"
	if os.Getenv(variable) != "" {
		crash(t)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), variable+"=1", "GOTRACEBACK=system")
	output, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(output), "panic: ") || !strings.Contains(string(output), "RoundTrip") {
		t.Fatalf("no crash: %v\n%s", err, output)
	}
	acctest.KeepsKey(t, map[string]string{"the crash": string(output)})
}

func crash(t *testing.T) {
	client, err := fusebill.NewClient(acctest.APIKey, fusebill.WithTransport(crashingTransport{}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Latch(t.Context(), 11, fusebill.Latch{HubSpotID: 101})
	t.Fatalf("no crash, but %v", err)
}
