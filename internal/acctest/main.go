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

// Factory returns a provider of a version, with options of its API client and its coordinator. It
// is provider.NewServerWith.
type Factory func(version string, client []fusebill.Option, changes []latch.Option) func() tfprotov6.ProviderServer

// factory returns the provider that is tested.
var factory Factory

// temporary is the folder for all files that the tests of a package write.
var temporary string

// Main runs the tests of a package, with the provider that a factory makes.
//
// The tests do not see the user's environment variables, because a real key would be the key of a
// real account. The test key comes from the environment, so configurations have no key. At the end,
// Main removes all files that the tests, and the programs that they start, have left in the
// temporary directory. For example, a provider whose CLI is killed leaves its socket.
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

// Seed returns the seed of random inputs: TEST_SEED, or 1. A test must print it when it fails.
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
