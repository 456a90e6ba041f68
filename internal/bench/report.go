package main

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// results are what the tables show.
type results struct {
	rows    []row
	sets    []setRow
	limited []limitedRow
}

// none stands in a cell for what wasn't measured.
const none = "–"

func (b *bench) report(out io.Writer, r results) {
	fmt.Fprintf(out, "%s %s on %s, %d processors, %s for each call.\n",
		b.cli.Product, b.cli.Version, b.cli.OS+"/"+b.cli.Arch, runtime.NumCPU(), b.latency)

	fmt.Fprintf(out, "\n## Calls\n\n%s\n", callsTable(r.rows))
	fmt.Fprintf(out, "Naive is the same with one call for each read. The bound is the design's for the plan and the apply; a plan of drift\n"+
		"also finds out who holds what, and a destroy reads twice, in two processes.\n")

	fmt.Fprintf(out, "\n## Time and memory\n\n%s\n", timeTable(r.rows))
	fmt.Fprintf(out, "Times are the least of %d (%d for %s latches and more), and of the command as a whole. Terraform alone is as many\n"+
		"terraform_data, no network is a provider of the same schema that answers each read at once; beside each is how many times\n"+
		"as long ours takes. The bounds: %.2f times no network from 1,000 latches on, %d MiB. Work is processor time, of the CLI and\n"+
		"the provider, compared with no network: on a busy machine it says more than time does.\n",
		b.repeat, b.repeats(hugeSize), grouped(hugeSize), timeBound, memoryBound>>20)

	if len(r.sets) > 0 {
		fmt.Fprintf(out, "\n## Latch sets\n\n%s\n", setsTable(r))
		fmt.Fprintf(out, "One terraform_data holds the same map, and takes what Terraform itself does; the bound is %.0f times that. The bound of a plan\n"+
			"is also %.1f times as many terraform_data, where those were measured in the same run. Terraform's work on a set grows with\n"+
			"the square of its size, so that several are faster than one.\n", dataSetTimeBound, dataTimeBound)
	}
	if len(r.limited) > 0 {
		fmt.Fprintf(out, "\n## Under the rate limit\n\n%s\n", limitTable(r.limited))
		fmt.Fprintf(out, "The window is shorter than a minute, so that several pass: of a live account's limit it has its share, a sandbox's limit\n"+
			"is spent in a tenth of the time. Another client makes a call for each of ours. Used is the share of the allowed calls\n"+
			"(less the other's) in the windows that lie wholly between the first write and the last; the bound is %.0f %%.\n", 100*rateBound)
	}
	fmt.Fprintf(out, "\n%s\n", verdict(r))
}

func callsTable(rows []row) *table {
	t := &table{header: []string{
		"operation", "latches", "customers", "at once", "one customer", "lists", "latch", "in all", "bound", "holds", "429", "naive",
	}}
	for _, r := range rows {
		calls := r.ours.calls
		t.add(r.operation, grouped(r.latches), grouped(r.customers), strconv.Itoa(r.parallelism),
			grouped(calls[fusebillsim.RouteCustomer]), grouped(calls[fusebillsim.RouteCustomers]),
			grouped(r.ours.writes()),
			grouped(r.ours.all()), grouped(r.bound), holds(r.callsHold()), grouped(r.ours.refused), r.naiveCalls())
	}
	return t
}

func timeTable(rows []row) *table {
	t := &table{header: []string{
		"operation", "latches", "customers", "time", "Terraform alone", "times", "no network", "times", "holds", "work, times", "naive", "memory", "holds", "state each",
	}}
	for _, r := range rows {
		if r.data.wall == 0 { // It was for its calls alone.
			continue
		}
		t.add(r.operation, grouped(r.latches), grouped(r.customers), seconds(r.ours.wall),
			seconds(r.data.wall), times(r.ours.wall, r.data.wall),
			seconds(r.instant.wall), times(r.ours.wall, r.instant.wall), r.timeVerdict(), times(r.ours.work, r.instant.work),
			seconds(r.naive.wall), mebibytes(r.ours.memory), r.memoryVerdict(), fmt.Sprintf("%d B", r.ours.stateSize/int64(r.latches)))
	}
	return t
}

func setsTable(results results) *table {
	t := &table{header: []string{
		"operation", "latches", "sets", "one customer", "lists", "latch", "in all", "bound", "holds", "429",
		"time", "one terraform_data", "times", "holds", "as many", "times", "holds", "memory", "holds",
	}}
	for _, r := range results.sets {
		calls, asMany := r.ours.calls, results.terraformAlone(r.operation, r.latches)
		t.add(r.operation, grouped(r.latches), grouped(r.sets), grouped(calls[fusebillsim.RouteCustomer]), grouped(calls[fusebillsim.RouteCustomers]),
			grouped(r.ours.writes()), grouped(r.ours.all()), grouped(r.bound), holds(r.callsHold()), grouped(r.ours.refused),
			seconds(r.ours.wall), seconds(r.data.wall), times(r.ours.wall, r.data.wall), timeHolds(r.row, r.data.wall, dataSetTimeBound),
			seconds(asMany), times(r.ours.wall, asMany), timeHolds(r.row, asMany, dataTimeBound),
			mebibytes(r.ours.memory), r.memoryVerdict())
	}
	return t
}

// terraformAlone is what an operation took with as many terraform_data, 0 where that wasn't measured.
func (r results) terraformAlone(operation string, latches int) time.Duration {
	for _, row := range r.rows {
		if row.operation == operation && row.latches == latches {
			return row.data.wall
		}
	}
	return 0
}

// timeHolds is for plans: an apply has calls to wait for.
func timeHolds(r row, reference time.Duration, bound float64) string {
	if reference == 0 || r.operation == creates {
		return none
	}
	return holds(float64(r.ours.wall) <= bound*float64(reference))
}

func limitTable(rows []limitedRow) *table {
	t := &table{header: []string{
		"account", "limit as run", "of", "creates", "by", "who", "writes", "reads", "bound", "holds", "429", "bound", "holds", "time", "used", "windows", "holds",
	}}
	for _, r := range rows {
		used, usedHolds := none, none
		if r.windows > 0 {
			used, usedHolds = fmt.Sprintf("%.1f %%", 100*r.share), holds(r.share >= rateBound)
		}
		t.add(r.kind, fmt.Sprintf("%d in %s", r.limit, r.window), r.as, grouped(r.creates), r.resource(), r.company(),
			grouped(r.writes), grouped(r.reads), grouped(r.bound), holds(r.readsHold()),
			grouped(r.refused), grouped(r.refusedBound), holds(r.refusalsHold()), seconds(r.wall), used, strconv.Itoa(r.windows), usedHolds)
	}
	return t
}

func (r row) callsHold() bool {
	return r.ours.all() <= r.bound && r.ours.writes() == r.writes && r.ours.refused == 0
}

// timeVerdict is for plans of the sizes that the bound is for: smaller ones take a second, of which the CLI's start is most.
func (r row) timeVerdict() string {
	if r.instant.wall == 0 || r.latches < 1000 {
		return none
	}
	return holds(float64(r.ours.wall) <= timeBound*float64(r.instant.wall))
}

func (r row) memoryVerdict() string {
	if r.ours.memory == 0 || r.latches > memoryBoundLatches {
		return none
	}
	return holds(r.ours.memory <= memoryBound)
}

func (r row) naiveCalls() string {
	if r.naive.wall == 0 {
		return none
	}
	return grouped(r.naive.all())
}

func (r limitedRow) readsHold() bool { return r.reads <= r.bound && r.writes == r.creates }

func (r limitedRow) refusalsHold() bool { return r.refused <= r.refusedBound }

// broken is an error if a count is above its bound.
func (r results) broken() error {
	var errs []error
	rows := slices.Clone(r.rows)
	for _, set := range r.sets {
		rows = append(rows, set.row)
	}
	for _, row := range rows {
		if !row.callsHold() {
			errs = append(errs, fmt.Errorf("%s of %d latches of %d customers, %d at once: %d calls (bound: %d), %d writes (bound: %d), %d calls refused (bound: 0)",
				row.operation, row.latches, row.customers, row.parallelism, row.ours.all(), row.bound, row.ours.writes(), row.writes, row.ours.refused))
		}
	}
	for _, row := range r.limited {
		if !row.readsHold() || !row.refusalsHold() {
			errs = append(errs, fmt.Errorf("%d creates in a %s account: %d reads (bound: %d), %d writes, %d calls refused (bound: %d)",
				row.creates, row.kind, row.reads, row.bound, row.writes, row.refused, row.refusedBound))
		}
	}
	return errors.Join(errs...)
}

func verdict(r results) string {
	if err := r.broken(); err != nil {
		return "Bounds of counts that don't hold:\n" + err.Error()
	}
	return "All bounds of counts hold."
}

func holds(ok bool) string {
	if ok {
		return "yes"
	}
	return "NO"
}

func seconds(d time.Duration) string {
	if d == 0 {
		return none
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

func times(d, reference time.Duration) string {
	if reference == 0 {
		return none
	}
	return fmt.Sprintf("%.2f", float64(d)/float64(reference))
}

func mebibytes(n int64) string {
	if n == 0 {
		return "not measured on this system"
	}
	return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20))
}
