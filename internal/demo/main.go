// Command demo shows the provider at work: it builds it, starts a simulated Fusebill account on loopback, and drives the
// Terraform or OpenTofu CLI of this machine through the life of three latches. After every step it checks in the account
// that what was shown is true, and it ends non-zero at the first step that doesn't show what it should. `make demo` runs
// it.
//
// With -picture it prints instead what the picture in the README shows: `make demo-picture` draws it.
//
// It writes to one temporary folder only, which it removes at its end, also when it is interrupted. No registry is asked,
// and neither settings nor plugins of the user's CLI are used.
//
// The story is in steps.go; the rest is its stage. What doesn't live here: tests. They are beside what they test.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

func main() {
	// plugin-testing, which acctest imports, adds flags of its own to the default ones.
	flags := flag.NewFlagSet("demo", flag.ExitOnError)
	isPicture := flags.Bool("picture", false, "print only what the picture in the README shows, with colours")
	_ = flags.Parse(os.Args[1:]) // It ends the process where it fails.
	out, picture := newPrinter(os.Stdout), printer{w: io.Discard}
	if *isPicture {
		out, picture = printer{w: io.Discard, colour: true}, printer{w: os.Stdout, colour: true}
	}
	// A broken pipe, as in `make demo | head`, is among them since it would end the process before the folder is removed.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	err := run(ctx, out, picture)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out, picture printer) (err error) {
	c, err := acctest.Find(ctx)
	if err != nil {
		return err
	}
	out.printf("Building the provider, for %s %s.\n", c.Product, c.Version)
	stage, err := newStage(ctx, c, out)
	if err != nil {
		return interruptedOr(ctx, err)
	}
	defer func() { err = errors.Join(err, stage.close()) }()

	stage.introduce()
	script := steps()
	for i, step := range script {
		output, err := stage.play(ctx, i+1, step)
		if err != nil {
			return interruptedOr(ctx, fmt.Errorf("step %d: %w", i+1, err))
		}
		if step.pictured {
			picture.title("%s", step.title)
			picture.command(stage.commandLine(step))
			picture.printf("%s\n", ofPicture(output))
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
