package provider

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// The promise tested here, and by every acceptance test at its end: no part of the key is in anything that a run prints or
// writes, be it output, errors, logs at TRACE, state, plans or the words of a crash.
//
// All tests give the key by the environment, so that the configuration and what Terraform makes of it have no key to hold.

const (
	// pieceLength is the shortest part of a key that counts: the test key says in words what it is, and they stand in logs too.
	pieceLength = 12
	// fewCustomers is up to how many an account is small enough for logs at TRACE: they grow with latches times runs, and
	// repeat themselves.
	fewCustomers = 50
)

// secrets are the texts that give a part of a key away: every piece of it, of what it decodes to, and of its encoded forms,
// as alone and behind "Basic ".
func secrets(key string) []string {
	decoded, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		panic(err)
	}
	var all []string
	for _, text := range []string{
		key,
		string(decoded),
		base64.StdEncoding.EncodeToString([]byte(key)),
		base64.StdEncoding.EncodeToString([]byte("Basic " + key)),
	} {
		for i := range len(text) - pieceLength + 1 {
			all = append(all, text[i:i+pieceLength])
		}
	}
	return all
}

// leaks finds parts of the test key in one pass: logs are long, and there are many parts.
var leaks = newLeakFinder(testKey)

type leakFinder struct {
	begins map[[2]byte]bool // a cheap look before the dear one
	pieces map[string]bool
}

func newLeakFinder(key string) leakFinder {
	f := leakFinder{map[[2]byte]bool{}, map[string]bool{}}
	for _, piece := range secrets(key) {
		f.begins[[2]byte{piece[0], piece[1]}] = true
		f.pieces[piece] = true
	}
	return f
}

// find returns the part of the key that a text holds, with what stands around it; "" where it holds none.
func (f leakFinder) find(text string) (piece, around string) {
	for i := range len(text) - pieceLength + 1 {
		if f.begins[[2]byte{text[i], text[i+1]}] && f.pieces[text[i:i+pieceLength]] {
			return text[i : i+pieceLength], text[max(0, i-100):min(len(text), i+100)]
		}
	}
	scheme := "Basic " + testKey[:1]
	if i := strings.Index(text, scheme); i >= 0 {
		return scheme, text[max(0, i-100):min(len(text), i+100)]
	}
	return "", ""
}

// keepsKey fails the test for each text, by its name, that holds a part of the key.
func keepsKey(t testing.TB, texts map[string]string) {
	t.Helper()
	for name, text := range texts {
		if piece, around := leaks.find(text); piece != "" {
			t.Errorf("%s holds %q of the key: …%s…", name, piece, around)
		}
	}
}

// filesBelow returns the texts of all files below a directory, and of those inside plan files, which are zip archives.
func filesBelow(t testing.TB, dir string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		texts[name] = string(content)
		archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			return nil //nolint:nilerr // No archive, and searched as it is.
		}
		return fs.WalkDir(archive, ".", func(inner string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := fs.ReadFile(archive, inner)
			texts[name+"/"+inner] = string(content)
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// logsOfTests is where plugin-testing writes a log for each test.
var logsOfTests string

// traceTests makes plugin-testing write logs and keep its files, for keepsKey to look through. The provider runs in this
// process and logs all at TRACE. The CLI logs errors only: it isn't told the key. It does log at TRACE in tests of newCLI.
func traceTests() (cleanUp func() error, err error) {
	if logsOfTests, err = os.MkdirTemp("", "terraform-provider-fusebill-logs-"); err != nil {
		return nil, err
	}
	for name, value := range map[string]string{
		"TF_LOG":                     "TRACE",
		"TF_LOG_PATH_MASK":           filepath.Join(logsOfTests, "%s.log"),
		"TF_ACC_LOG":                 "ERROR",
		"TF_ACC_PERSIST_WORKING_DIR": "1",
	} {
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
	}
	return func() error { return os.RemoveAll(logsOfTests) }, nil
}

// accept runs a test case beside other tests, and looks for the key in its logs, states and plans.
func accept(t *testing.T, c resource.TestCase) {
	t.Helper()
	c.WorkingDir = t.TempDir()
	log := filepath.Join(logsOfTests, strings.ReplaceAll(t.Name(), "/", "__")+".log")
	t.Cleanup(func() {
		keepsKey(t, filesBelow(t, c.WorkingDir))
		text, err := os.ReadFile(log)
		if err != nil {
			if !t.Skipped() && os.Getenv(resource.EnvTfAcc) != "" {
				t.Error(err)
			}
			return
		}
		keepsKey(t, map[string]string{"the log": string(text)})
		if err := os.Remove(log); err != nil {
			t.Error(err)
		}
	})
	if slices.ContainsFunc(c.Steps, func(s resource.TestStep) bool { return strings.Contains(s.Config, "terraform_data") }) {
		c.TerraformVersionChecks = append(c.TerraformVersionChecks, tfversion.SkipBelow(tfversion.Version1_4_0))
	}
	resource.ParallelTest(t, c)
}

// keepsKey looks for the key, at the test's end, in all that commands of the CLI have printed and written.
func (c *cli) keepsKey(customers int) {
	logs := c.t.TempDir()
	level := "TRACE"
	if customers > fewCustomers {
		level = "WARN"
	}
	c.setenv("TF_LOG", level)
	c.setenv("TF_LOG_PATH", filepath.Join(logs, "terraform.log"))
	c.t.Cleanup(func() {
		for _, output := range c.printed {
			keepsKey(c.t, map[string]string{"what the CLI printed": output.String()})
		}
		written := filesBelow(c.t, c.dir)
		for _, name := range c.withKey {
			delete(written, name)
		}
		keepsKey(c.t, written)
		keepsKey(c.t, filesBelow(c.t, logs))
	})
}

// The search is worth something only if it finds.
func TestKeepsKey_finds(t *testing.T) {
	t.Parallel()
	decoded, err := base64.StdEncoding.DecodeString(testKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		testKey, "the key is " + testKey[:pieceLength], testKey[len(testKey)-pieceLength:], string(decoded[3 : 3+pieceLength]), "Authorization: Basic " + testKey[:1] + "…",
	} {
		if piece, _ := leaks.find(text); piece == "" {
			t.Errorf("nothing found in %q", text)
		}
	}
	if piece, _ := leaks.find("Authorization: Basic ***, " + testKey[:pieceLength-1]); piece != "" {
		t.Errorf("found %q where nothing is", piece)
	}
}

// A key in the provider block goes where Terraform puts configurations, that is into plans. Nothing else may hold it.
func TestAccCLI_keyInProviderBlock(t *testing.T) {
	t.Parallel()
	a := accountWith(t, held{11, 0, 0})
	c := newCLI(t, a)
	c.setenv(envAPIKey, "")
	c.withKey = []string{"provider.tf", "tfplan", "tfplan/tfconfig/m-/provider.tf"}
	c.write("provider.tf", required+providerBlock(fmt.Sprintf("api_key = %q", testKey), fmt.Sprintf("base_url = %q", a.url)))
	c.declare(held{11, 101, 0}.block())
	c.planIs(true)
	c.run(0, "show", "-no-color", "tfplan")
	c.run(0, "apply", "-no-color", "tfplan")
	a.SetLatch(11, 999, 0)
	c.apply()
	c.run(0, "destroy", "-auto-approve")
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
	keepsKey(t, map[string]string{"the crash": string(output)})
}

func crash(t *testing.T) {
	client, err := fusebill.NewClient(testKey, fusebill.WithTransport(crashingTransport{}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Latch(t.Context(), 11, fusebill.Latch{HubSpotID: 101})
	t.Fatalf("no crash, but %v", err)
}
