// Command testmatrix runs the acceptance tests with each of the CLIs that it is given, and prints which they pass: the
// support table in the README. `make test-matrix CLIS="PATH …"` runs it.
//
// A skipped test is about something that a CLI doesn't have; each says what that is. What doesn't live here: the tests.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "testmatrix:", err)
		os.Exit(1)
	}
}

// run prints a line of the table for each CLI, as soon as its tests have ended.
func run(ctx context.Context, clis []string, out io.Writer) error {
	if len(clis) == 0 {
		return errors.New(`want the paths of the CLIs to test with, as in make test-matrix CLIS="terraform tofu"`)
	}
	fmt.Fprintln(out, "| CLI | passed | skipped | failed |\n|---|---|---|---|")
	failed := 0
	for _, name := range clis {
		c, err := acctest.Open(ctx, name)
		if err != nil {
			return err
		}
		version := c.Product + " " + c.Version
		counts, err := test(ctx, c)
		if err != nil {
			return fmt.Errorf("%s: %w", version, err)
		}
		fmt.Fprintf(out, "| %s | %d | %d | %d |\n", version, counts["pass"], counts["skip"], counts["fail"])
		failed += counts["fail"]
	}
	if failed > 0 {
		return fmt.Errorf("%d tests failed", failed)
	}
	return nil
}

// test runs the acceptance tests and counts how each came out. What a test that fails has printed goes to the error output.
func test(ctx context.Context, c acctest.CLI) (map[string]int, error) {
	command := exec.CommandContext(ctx, "go", "test", "-json", "-count=1", "-timeout=60m", "-run=^TestAcc", "./internal/provider")
	command.Env = append(os.Environ(), "TF_ACC=1", "TF_ACC_TERRAFORM_PATH="+c.Path, "TF_ACC_PROVIDER_HOST="+c.Registry)
	command.Stderr = os.Stderr
	output, err := command.Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	return count(output)
}

// count reads the events of go test -json. Only whole tests count, since the number of their parts depends on the CLI.
func count(output []byte) (map[string]int, error) {
	counts := make(map[string]int)
	printed := make(map[string]*strings.Builder)
	lines := bufio.NewReader(bytes.NewReader(output))
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		var event struct{ Action, Test, Output string }
		if json.Unmarshal(line, &event) != nil {
			continue // What the build prints isn't an event.
		}
		test, _, isPart := strings.Cut(event.Test, "/")
		if printed[test] == nil {
			printed[test] = new(strings.Builder)
		}
		printed[test].WriteString(event.Output)
		if event.Test != "" && !isPart && (event.Action == "pass" || event.Action == "skip" || event.Action == "fail") {
			counts[event.Action]++
			if event.Action == "fail" {
				fmt.Fprint(os.Stderr, printed[test])
			}
		}
	}
	if len(counts) == 0 {
		return nil, errors.New("no test was run: does it compile?")
	}
	return counts, nil
}
