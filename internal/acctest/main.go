package acctest

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// Factory makes a provider of a version, with options of its API client and of its changes of
// latches, as provider.NewServerWith does.
type Factory func(version string, client []fusebill.Option, changes []latch.Option) func() tfprotov6.ProviderServer

// factory makes the provider that is tested.
var factory Factory

// temporary is the folder in which the tests of a package write all that they write.
var temporary string

// Main runs the tests of a package, with the provider that a factory makes.
//
// The settings of the user's shell do not reach the tests: a real key would open a real account.
// The key of tests comes from the environment, so configurations hold none. At the end nothing is
// left in the temporary directory, neither by the tests nor by what they start: a provider whose
// CLI is killed leaves its socket.
func Main(m *testing.M, provider Factory) {
	factory = provider
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "acctest:", err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (code int, err error) {
	if temporary, err = os.MkdirTemp("", "acctest-"); err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temporary)) }()
	err = errors.Join(
		os.Setenv("TMPDIR", temporary),
		os.Unsetenv(EnvBaseURL),
		os.Setenv(EnvAPIKey, APIKey),
		// plugin-testing puts it where it adds what a configuration requires, and import steps have
		// to say it themselves.
		os.Setenv(resource.EnvTfAccProviderNamespace, path.Dir(Source)),
		traceTests(filepath.Join(temporary, "logs")),
	)
	if err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// Seed returns the seed of what a test does at random: TEST_SEED, or 1. The failure of a test has
// to name it.
func Seed(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv(EnvSeed)
	if text == "" {
		return 1
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", EnvSeed, err)
	}
	return seed
}

// EnvSeed names the environment variable for [Seed].
const EnvSeed = "TEST_SEED"
