// Command demo shows the provider at work: it builds it, starts a simulated Fusebill account on loopback, and drives the
// Terraform or OpenTofu CLI of this machine through the life of three latches. After every step it checks in the account
// that what was shown is true, and it ends non-zero at the first step that doesn't show what it should. `make demo` runs
// it.
//
// It writes to one temporary folder only, which it removes at its end, also when it is interrupted. No registry is asked,
// and neither settings nor plugins of the user's CLI are used.
//
// The story is in steps.go; the rest is its stage. What doesn't live here: tests. They are beside what they test.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// A broken pipe, as in `make demo | head`, is among them since it would end the process before the folder is removed.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	err := run(ctx, newPrinter(os.Stdout))
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out printer) (err error) {
	cli, err := findCLI(ctx)
	if err != nil {
		return err
	}
	out.printf("Building the provider, for %s %s.\n", cli.product, cli.version)
	stage, err := newStage(ctx, cli, out)
	if err != nil {
		return interruptedOr(ctx, err)
	}
	defer func() { err = errors.Join(err, stage.close()) }()

	stage.introduce()
	script := steps()
	for i, step := range script {
		if err := stage.play(ctx, i+1, step); err != nil {
			return interruptedOr(ctx, fmt.Errorf("step %d: %w", i+1, err))
		}
	}
	out.title("All %d steps showed what they should.", len(script))
	return nil
}

// interruptedOr keeps an interrupt from being told as the failure that it led to.
func interruptedOr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return err
}
