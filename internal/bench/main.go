// Command bench measures the cost of plans and applies of thousands of latches. `make bench` runs
// it.
//
// It drives the CLI of this machine against simulated accounts on loopback, prints a table, and
// draws the chart of the documentation. It ends with an error if the number of calls, the number of
// refused calls or the memory exceeds its bound (rows.go). A time that exceeds its bound is marked
// in the table and is no error. The bounds of times compare measurements of one run, so they do not
// depend on the speed of the machine.
//
//	go run ./internal/bench -n 1000 -svg ""   # a minute
//	go run ./internal/bench                   # half an hour
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// options are the values of the flags.
type options struct {
	sizes   []int // the numbers of latches to measure
	most    int   // the largest number of latches to apply, and to keep in a terraform_data
	repeat  int   // the number of times to measure a plan
	latency time.Duration
	svg     string
}

func main() {
	// Without SIGPIPE, a closed output would end the process before it has removed its folder.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures and writes the table to out, even after a failure.
func run(ctx context.Context, args []string, out, progress io.Writer) (err error) {
	o, err := parseOptions(args, progress)
	if err != nil {
		return err
	}
	fmt.Fprintln(progress, "Building the provider.")
	stage, err := acctest.NewStage(ctx, acctest.Module+"/internal/bench/plugin")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stage.Close()) }()
	b := bench{o, stage, progress}
	var rows []row
	for i := 0; i < len(o.sizes) && err == nil; i++ {
		var more []row
		more, err = b.measureSize(ctx, o.sizes[i])
		rows = append(rows, more...)
	}
	fmt.Fprintf(out, "%s %s, %s for each call.\n\n%s", stage.CLI.Product, stage.CLI.Version, o.latency, table(rows))
	if err != nil {
		return err
	}
	if o.svg != "" {
		err = os.WriteFile(o.svg, []byte(chart(rows)), 0o644)
	}
	return errors.Join(err, broken(rows))
}

func parseOptions(args []string, usage io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(usage)
	sizes := flags.String("n", "10,100,1000,10000,100000", "the numbers of latches to measure, a `list`")
	flags.IntVar(&o.most, "most", 10_000, "the largest number of `latches` to apply, and to keep in a terraform_data")
	flags.IntVar(&o.repeat, "repeat", 3, "the number of `times` to measure a plan; the shortest one counts")
	flags.DurationVar(&o.latency, "latency", 20*time.Millisecond, "the time that the service takes for a call")
	flags.StringVar(&o.svg, "svg", "templates/images/calls.svg", "the `file` to draw the chart into; empty: none")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	for item := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(item))
		if err != nil || n < 1 {
			return o, fmt.Errorf("-n: %q is not a whole number of at least 1", item)
		}
		o.sizes = append(o.sizes, n)
	}
	return o, nil
}
