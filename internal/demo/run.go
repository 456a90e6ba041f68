package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"time"
)

// result is what a command of the CLI came to.
type result struct {
	exit   int
	output string
}

// runCLI runs a command of the CLI to its end, shows its output, and returns it. The exit code is the caller's to judge.
func (s *stage) runCLI(ctx context.Context, args ...string) (result, error) {
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, s.cli.Path, args...)
	cmd.Dir, cmd.Env = s.work(), s.env
	cmd.Stdout = io.MultiWriter(s.out.w, &output)
	cmd.Stderr = cmd.Stdout
	// Ctrl-C in a terminal reaches the CLI too, which then ends in order; a second signal would break it off. One that
	// doesn't end is killed.
	cmd.Cancel = func() error { return nil }
	cmd.WaitDelay = 10 * time.Second
	err := cmd.Run()
	if exitErr := (*exec.ExitError)(nil); errors.As(err, &exitErr) && ctx.Err() == nil {
		err = nil
	}
	if err != nil {
		return result{}, err
	}
	return result{exit: cmd.ProcessState.ExitCode(), output: output.String()}, nil
}
