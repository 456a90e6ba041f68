package acceptance

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// These tests, and every acceptance test at its end, check that no part of the key is in anything
// that a run prints or writes: output, errors, logs at TRACE, state, plans and the text of a crash.
//
// Other tests give the key by the environment, so no configuration holds it.

// TestAccCLI_keyInProviderBlock gives the key in the configuration, which Terraform copies into
// plans. Nothing else may hold it.
func TestAccCLI_keyInProviderBlock(t *testing.T) {
	t.Parallel()
	a := acctest.AccountWith(t, acctest.Customer{ID: 11})
	c := acctest.NewWorkspace(t, a)
	c.Setenv(acctest.EnvAPIKey, "")
	c.WithKey = []string{"provider.tf", "tfplan", "tfplan/tfconfig/m-/provider.tf"}
	c.Write("provider.tf", acctest.Required+acctest.ProviderBlock(fmt.Sprintf("api_key = %q", acctest.APIKey),
		fmt.Sprintf("base_url = %q", a.URL)))
	c.Declare(acctest.Customer{ID: 11, Contact: 101}.Block())
	c.PlanIs(true)
	c.Run(0, "show", "-no-color", "tfplan")
	c.Run(0, "apply", "-no-color", "tfplan")
	a.SetLatch(11, 999, 0)
	c.Apply()
	c.Run(0, "destroy", "-auto-approve")
}

// TestAccCLI_protocolData checks what SECURITY.md says of TF_LOG_SDK_PROTO_DATA_DIR: the protocol
// library writes the provider block there, with its key, and a key of the environment stays out.
func TestAccCLI_protocolData(t *testing.T) {
	t.Parallel()
	for name, inBlock := range map[string]bool{"key in the provider block": true, "key in the environment": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := acctest.AccountWith(t, acctest.Customer{ID: 11})
			c := acctest.NewWorkspace(t, a)
			settings := []string{fmt.Sprintf("base_url = %q", a.URL)}
			if inBlock {
				settings = append(settings, fmt.Sprintf("api_key = %q", acctest.APIKey))
				c.Setenv(acctest.EnvAPIKey, "")
				c.WithKey = []string{"provider.tf"}
			}
			c.Write("provider.tf", acctest.Required+acctest.ProviderBlock(settings...))
			data := t.TempDir()
			c.Setenv("TF_LOG_SDK_PROTO_DATA_DIR", data)
			c.Declare(acctest.Customer{ID: 11, Contact: 101}.Block())
			c.Run(0, "plan", "-no-color")
			var written strings.Builder
			for _, text := range acctest.FilesBelow(t, data) {
				written.WriteString(text)
			}
			if got := strings.Contains(written.String(), acctest.APIKey); got != inBlock || written.Len() == 0 {
				t.Errorf("%d bytes, the key is among them: %v, want %v", written.Len(), got, inBlock)
			}
		})
	}
}

// TestSecurityPage checks that each test that SECURITY.md names exists.
func TestSecurityPage(t *testing.T) {
	t.Parallel()
	var tests strings.Builder
	for _, pattern := range []string{"../*/*_test.go", "../fusebillsim/*/*/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			tests.Write(text)
		}
	}
	named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(readFile(t, "SECURITY.md"), -1)
	if len(named) < 10 {
		t.Errorf("SECURITY.md names %d tests", len(named))
	}
	for _, name := range named {
		if !strings.Contains(tests.String(), "\nfunc "+name[1]+"(t *testing.T)") {
			t.Errorf("SECURITY.md names %s, which does not exist", name[1])
		}
	}
}

// crashingTransport panics while it sends a request.
type crashingTransport struct{}

func (crashingTransport) RoundTrip(*http.Request) (*http.Response, error) { panic("on purpose") }

// TestCrashShowsNoKey crashes a process where it holds the key in its most open form: while a call
// is sent. Go prints addresses and the text of the panic.
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
