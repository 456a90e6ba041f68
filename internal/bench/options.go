package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// quickSize is the most latches of a quick run.
	quickSize = 100
	// quickSetSize is the most latches of a set in a quick run.
	quickSetSize = 1000
	// mostInOneSet is the most latches that are kept in one set, and made. Beyond it an apply only takes longer.
	mostInOneSet = 10_000
	// hugeSize is from where a plan takes Terraform a minute and more: repeated less, and never applied.
	hugeSize = 10_000
	// defaultChart is where the documentation generator takes it from: it copies what is no template into docs, and keeps
	// that folder, unlike docs/guides, free of checks that want Markdown.
	defaultChart = "templates/images/calls.svg"
)

// options are what the flags set.
type options struct {
	sizes       []int         // latches
	setSizes    []int         // latches of sets
	parallelism []int         // the first for everything, the others for counts of plans
	naive       int           // the most latches that are also read without sharing
	repeat      int           // of timed runs
	latency     time.Duration // of each call
	svg         string        // the chart's file; empty: none
	limits      bool          // whether applies under the rate limit are measured
	quick       bool
}

func parseOptions(args []string, usage io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(usage)
	sizes := flags.String("n", "10,100,1000,10000", "how many latches, a `list`")
	setSizes := flags.String("sets", "1000,10000,100000", "how many latches in a set, a `list`")
	parallelism := flags.String("parallelism", "10,1,50",
		"Terraform's -parallelism, a `list`: the first for everything, the others for the calls of plans of up to 1,000 latches")
	flags.IntVar(&o.naive, "naive", 1000, "turn the sharing of reads off too, for up to so many `latches`; 0: never")
	flags.IntVar(&o.repeat, "repeat", 3, "how many `times` to measure a time; the least counts. A third of it for 10,000 latches")
	flags.DurationVar(&o.latency, "latency", 20*time.Millisecond, "how long the service takes to answer a call")
	flags.StringVar(&o.svg, "svg", defaultChart, "the chart's `file`; empty: none. Not drawn by -quick unless given")
	flags.BoolVar(&o.limits, "limits", true, "measure applies under the rate limits too")
	flags.BoolVar(&o.quick, "quick", false, "no more than 100 latches, or 1,000 in a set, each measured once: a minute in all")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	var err error
	if o.sizes, err = parseList("-n", *sizes); err != nil {
		return options{}, err
	}
	if o.setSizes, err = parseList("-sets", *setSizes); err != nil {
		return options{}, err
	}
	if o.parallelism, err = parseList("-parallelism", *parallelism); err != nil {
		return options{}, err
	}
	if o.quick {
		o.beQuick(flags)
	}
	o.repeat = max(o.repeat, 1)
	return o, nil
}

// beQuick leaves out what takes long. A chart of small sizes would replace the one in the documentation.
func (o *options) beQuick(flags *flag.FlagSet) {
	o.sizes = slices.DeleteFunc(o.sizes, func(n int) bool { return n > quickSize })
	o.setSizes = slices.DeleteFunc(o.setSizes, func(n int) bool { return n > quickSetSize })
	o.repeat = 1
	chartIsWanted := false
	flags.Visit(func(f *flag.Flag) { chartIsWanted = chartIsWanted || f.Name == "svg" })
	if !chartIsWanted {
		o.svg = ""
	}
}

// parseList reads whole numbers of 1 and more, as in "10,1000".
func parseList(name, text string) ([]int, error) {
	var list []int
	for item := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(item))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%s: %q is no whole number of 1 or more", name, item)
		}
		list = append(list, n)
	}
	return list, nil
}

// repeats is how often a time is measured at this size.
func (o *options) repeats(n int) int {
	if n >= hugeSize {
		return max(o.repeat/3, 1)
	}
	return o.repeat
}
