package main

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"time"
)

// result is what a command came to.
type result struct {
	exit   int
	output string
	took   time.Duration
	worked time.Duration // processor time, of the program and those that it started
}

// execute runs a program to its end. Its exit code is the caller's to judge.
//
// The program has a process group of its own, so that Ctrl-C in a terminal reaches this one only, which then hands on one
// interrupt, also where it was told to end in another way. The CLI ends in order on the first, and breaks off on a second.
func execute(ctx context.Context, folder string, env []string, program string, args ...string) (result, error) {
	var output bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = folder, env
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.WaitDelay = 10 * time.Second
	groupProcesses(cmd)
	start := time.Now()
	err := cmd.Run()
	took := time.Since(start)
	if ctx.Err() != nil {
		killGroup(cmd) // One that didn't end in time has left plugins behind.
		return result{}, context.Cause(ctx)
	}
	if exitErr := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exitErr) {
		return result{}, err
	}
	state := cmd.ProcessState
	return result{
		exit: state.ExitCode(), output: output.String(), took: took, worked: state.UserTime() + state.SystemTime(),
	}, nil
}
