package main

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// apiKey opens the simulated account.
const apiKey = "MDpEZTFmOHJFU1FlZFVTdFBLUjBDc1R5NFF3YjhEd2tOaEZkblhzaVZweno2M0Zma0N6SnI0aTBCM0pyVEF3UjR5"

// stage is what the demo is played on: a folder, a simulated account, and the CLI.
type stage struct {
	out     printer
	cli     acctest.CLI
	env     []string // of the CLI
	folder  string   // removed at the end
	account *fusebillsim.Simulator
	server  *httptest.Server
}

// newStage builds the provider and opens the account. If it fails, it leaves nothing behind.
func newStage(ctx context.Context, c acctest.CLI, out printer) (_ *stage, err error) {
	s := &stage{out: out, cli: c, account: fusebillsim.New(fusebillsim.Config{APIKey: apiKey})}
	s.account.AddCustomers(customers()...)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.folder, err = os.MkdirTemp("", "fusebill-demo-"); err != nil {
		return nil, err
	}
	if err := os.Mkdir(s.work(), 0o700); err != nil {
		return nil, err
	}
	settings, err := c.Install(ctx, s.folder, acctest.Module)
	if err != nil {
		return nil, err
	}
	s.server = httptest.NewServer(s.account)
	s.env = append(acctest.Environment(os.Environ()),
		"TF_CLI_CONFIG_FILE="+settings,
		"TF_INPUT=0",
		"FUSEBILL_API_KEY="+apiKey,
		"FUSEBILL_BASE_URL="+s.baseURL(),
	)
	if !out.colour {
		s.env = append(s.env, "TF_CLI_ARGS=-no-color")
	}
	return s, nil
}

// work is the folder in which the user of the demo works.
func (s *stage) work() string { return filepath.Join(s.folder, "work") }

func (s *stage) baseURL() string { return s.server.URL + "/v1" }

// close leaves nothing behind.
func (s *stage) close() error {
	if s.server != nil {
		s.server.Close()
	}
	if s.folder == "" {
		return nil
	}
	return os.RemoveAll(s.folder)
}

// introduce says what there is before the first step.
func (s *stage) introduce() {
	s.out.printf("The account is simulated, and lives as long as this demo:\n\n")
	s.out.printf("  FUSEBILL_BASE_URL=%s\n  FUSEBILL_API_KEY=%s\n\n", s.baseURL(), apiKey)
	s.showAccount()
}

// play shows one step, checks it, and returns what the CLI printed.
func (s *stage) play(ctx context.Context, number int, step step) (output string, err error) {
	s.out.title("%d. %s", number, step.title)
	if step.before != nil {
		step.before(s.account)
	}
	if step.file != (file{}) {
		s.out.printf("%s:\n\n%s\n", step.file.name, indent(step.file.text))
		if err := os.WriteFile(filepath.Join(s.work(), step.file.name), []byte(step.file.text), 0o600); err != nil {
			return "", err
		}
	}
	s.account.ResetCalls()
	s.out.command(s.commandLine(step))
	result, err := s.runCLI(ctx, strings.Fields(step.command)...)
	if err != nil {
		return "", err
	}
	calls, writes := s.account.Count(), s.account.Writes()
	s.out.printf("\nExit code %d. API calls: %d to read, %d to write. Now in the account:\n\n", result.exit, calls-writes, writes)
	s.showAccount()
	return result.output, errors.Join(step.checkResult(result), step.checkAccount(s.account))
}

func (s *stage) showAccount() {
	for _, customer := range s.account.Customers() {
		s.out.printf("  customer %d, %-15s  latched to %s\n", customer.ID, customer.CompanyName, latchOf(customer))
	}
}

// commandLine is a step's command as a user types it.
func (s *stage) commandLine(step step) string { return s.cli.Name + " " + step.command }
