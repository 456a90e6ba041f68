// Command testmatrix runs the acceptance tests with each of the CLIs that it is given, and prints
// how many of them each passes: the support table in the README. `make test-matrix CLIS="PATH …"`
// runs it.
//
// A skipped test is about something that a CLI does not have; each names it. The exit status of `go
// test` decides whether a CLI passes, since a timeout or a panic ends a package without a failed
// test.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// suite is the tests to run.
type suite struct {
	packages []string
	timeout  time.Duration // of each package
}

var acceptance = suite{packages: []string{"./internal/provider", "./internal/acceptance"}, timeout: time.Hour}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, acceptance, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "testmatrix:", err)
		os.Exit(1)
	}
}

// run prints a line of the table for each CLI, as soon as its tests have ended, and to failures
// what failed tests print.
func run(ctx context.Context, s suite, clis []string, table, failures io.Writer) error {
	if len(clis) == 0 {
		return errors.New(`want the paths of the CLIs to test with, as in make test-matrix CLIS="terraform tofu"`)
	}
	fmt.Fprintln(table, "| CLI | passed | skipped | failed |\n|---|---|---|---|")
	var failed []error
	for _, name := range clis {
		c, err := acctest.Open(ctx, name)
		if err != nil {
			return err
		}
		version := c.Product + " " + c.Version
		counts, err := s.test(ctx, c, failures)
		fmt.Fprintf(table, "| %s | %d | %d | %d |\n", version, counts["pass"], counts["skip"], counts["fail"])
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", version, err))
		}
	}
	return errors.Join(failed...)
}

// test runs the tests with a CLI and counts how each ended. It returns an error unless `go test`
// succeeds.
func (s suite) test(ctx context.Context, c acctest.CLI, failures io.Writer) (counts map[string]int, err error) {
	args := append([]string{"test", "-json", "-count=1", "-timeout=" + s.timeout.String(), "-run=^TestAcc"}, s.packages...)
	command := exec.CommandContext(ctx, "go", args...)
	command.Env = append(os.Environ(), "TF_ACC=1", "TF_ACC_TERRAFORM_PATH="+c.Path, "TF_ACC_PROVIDER_HOST="+c.Registry)
	command.Stderr = failures
	output, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		return nil, err
	}
	counts = count(output, failures)
	if err := command.Wait(); err != nil {
		return counts, fmt.Errorf("go test: %w, with %d failed tests", err, counts["fail"])
	}
	if counts["pass"] == 0 {
		return counts, errors.New("no test has passed")
	}
	return counts, nil
}

// count reads the events of `go test -json`. It counts whole tests only, since the number of their
// parts depends on the CLI. What is printed by a test that fails, or that never ends in a package
// that fails, goes to failures.
func count(events io.Reader, failures io.Writer) map[string]int {
	counts := make(map[string]int)
	type test struct{ pkg, name string }
	printed := make(map[test]string)
	for lines := bufio.NewReader(events); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return counts
		}
		var event struct{ Action, Package, Test, Output string }
		if json.Unmarshal(line, &event) != nil {
			_, _ = failures.Write(line) // What the build prints is no event.
			continue
		}
		name, _, isPart := strings.Cut(event.Test, "/")
		key := test{event.Package, name}
		printed[key] += event.Output
		if isPart || !slices.Contains([]string{"pass", "skip", "fail"}, event.Action) {
			continue
		}
		if name != "" {
			counts[event.Action]++
		}
		for other := range maps.Keys(printed) {
			if other != key && (name != "" || other.pkg != event.Package) {
				continue
			}
			if event.Action == "fail" {
				fmt.Fprint(failures, printed[other])
			}
			delete(printed, other)
		}
	}
}
