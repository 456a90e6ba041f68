package acctest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// Stage runs the CLI of this machine for a program, with a provider that was built and installed in
// its folder. It uses neither the settings nor the plugins of the user's CLI, and calls no
// registry. Tests use a [Workspace] instead.
type Stage struct {
	CLI CLI
	Dir string   // of the stage; Close removes it
	Env []string // of the CLI
}

// NewStage builds a Go package that serves the provider, and installs it. If it fails, it leaves
// nothing behind.
func NewStage(ctx context.Context, goPackage string) (_ *Stage, err error) {
	s := new(Stage)
	if s.CLI, err = Find(ctx); err != nil {
		return nil, err
	}
	if s.Dir, err = os.MkdirTemp("", "fusebill-"); err != nil {
		return nil, err
	}
	settings, err := s.CLI.Install(ctx, s.Dir, goPackage)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.Env = append(Environment(os.Environ()), "TF_CLI_CONFIG_FILE="+settings, "TF_INPUT=0", EnvAPIKey+"="+APIKey)
	return s, nil
}

// Close removes all files of the stage.
func (s *Stage) Close() error { return os.RemoveAll(s.Dir) }

// Folder makes a folder of the stage with these files, by name.
func (s *Stage) Folder(files map[string]string) (string, error) {
	folder, err := os.MkdirTemp(s.Dir, "work-")
	for name, text := range files {
		err = errors.Join(err, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	return folder, err
}

// ServeAccount serves a simulated account with the key [APIKey] on loopback, until stop is called.
func ServeAccount(config fusebillsim.Config) (a Account, stop func()) {
	config.APIKey = APIKey
	sim := fusebillsim.New(config)
	server := httptest.NewServer(sim)
	return Account{Simulator: sim, URL: server.URL + "/v1"}, server.Close
}

// Result is the outcome of a command of the CLI.
type Result struct {
	Code   int
	Output string
	Wall   time.Duration
	CPU    time.Duration // of the CLI and the providers that it started
}

// Run runs a command of the CLI in a folder, with further environment variables, and copies its
// output to out. The caller checks the exit code.
//
// A terminal sends Ctrl-C to the CLI, too, which then ends in order. A second signal would abort
// it, so Run sends none. It kills a CLI that does not end within ten seconds.
func (s *Stage) Run(ctx context.Context, folder string, env []string, out io.Writer, args ...string) (Result, error) {
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, s.CLI.Path, args...)
	cmd.Dir, cmd.Env = folder, append(slices.Clone(s.Env), env...)
	cmd.Stdout = io.MultiWriter(out, &output)
	cmd.Stderr = cmd.Stdout
	cmd.Cancel = func() error { return nil }
	cmd.WaitDelay = 10 * time.Second
	start := time.Now()
	err := cmd.Run()
	if ctx.Err() != nil {
		return Result{}, context.Cause(ctx)
	}
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		return Result{}, err
	}
	state := cmd.ProcessState
	return Result{state.ExitCode(), output.String(), time.Since(start), state.UserTime() + state.SystemTime()}, nil
}
