// Command bench measures what plans and applies of many latches cost: API calls, time and memory. `make bench` runs it.
//
// It builds the provider, starts simulated Fusebill accounts on loopback and drives the Terraform or OpenTofu CLI of this
// machine. It prints tables and draws a chart. Calls and refusals are counts, and a bound of the design that they break
// makes it end non-zero. Times are compared within one run only, with runs of the same size that need no provider, or
// one that answers at once: the machine's speed cancels out. They are told, and break nothing.
//
//	go run ./internal/bench -quick              # a minute: is everything in order?
//	go run ./internal/bench -n 1000 -repeat 5   # one size, more exactly
//	go run ./internal/bench                     # everything, about half an hour
//
// How it is laid out: scenario.go says what is run, set.go does so for latch sets and ratelimit.go under the account's limits; bound.go has the
// bounds; account.go, workspace.go, state.go and cli.go are the stage; report.go, table.go and chart.go show what came
// of it. The folder plugin is the provider that is measured.
//
// It writes to one temporary folder, which it removes at its end, also when it is interrupted, and to the chart's file.
// What doesn't live here: whether plans and applies do the right thing. They are checked for having done what was
// measured, and no more; the tests beside the code do the rest.
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
)

func main() {
	// A broken pipe, as in `make bench | head`, is among them since it would end the process before the folder is removed.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures as the arguments say, writes the tables to out, and tells meanwhile, on progress, what it does. What was
// measured before a failure or an interrupt is shown all the same: it may have taken half an hour.
func run(ctx context.Context, args []string, out, progress io.Writer) (err error) {
	o, err := parseOptions(args, progress)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	b, err := newBench(ctx, o, progress)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	results, err := b.measureAll(ctx)
	if len(results.rows) > 0 {
		b.report(out, results)
	}
	if err != nil {
		return err
	}
	if o.svg != "" {
		if err := writeChart(o.svg, results.rows); err != nil {
			return err
		}
	}
	return results.broken()
}

// measureAll measures every size, and then applies under the rate limits.
func (b *bench) measureAll(ctx context.Context) (r results, err error) {
	for _, n := range b.sizes {
		rows, err := b.measureSize(ctx, n)
		if err != nil {
			return r, err
		}
		r.rows = append(r.rows, rows...)
	}
	if r.sets, err = b.measureSets(ctx); err != nil {
		return r, err
	}
	if b.limits {
		r.limited, err = b.measureLimits(ctx)
	}
	return r, err
}
