package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// bench is what measurements are made with.
type bench struct {
	options
	cli      acctest.CLI
	env      []string // of the CLI
	folder   string   // removed at the end
	progress io.Writer
	latches  *workspace
	data     *workspace // of terraform_data
	set      *workspace // one for all
	parts    *workspace // a set for each thousand
	dataSet  *workspace // of one terraform_data that holds the same map
}

// newBench builds the provider and lays out the workspaces. If it fails, it leaves nothing behind.
func newBench(ctx context.Context, o options, progress io.Writer) (_ *bench, err error) {
	b := &bench{options: o, progress: progress}
	if b.cli, err = acctest.Find(ctx); err != nil {
		return nil, err
	}
	if b.folder, err = os.MkdirTemp("", "fusebill-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	if err := os.Mkdir(b.memoryFolder(), 0o700); err != nil {
		return nil, err
	}
	b.tell("Building the provider, for %s %s.", b.cli.Product, b.cli.Version)
	settings, err := b.cli.Install(ctx, b.folder, pluginPackage)
	if err != nil {
		return nil, err
	}
	b.env = append(acctest.Environment(os.Environ()),
		"TF_CLI_CONFIG_FILE="+settings, envMemory+"="+b.memoryFolder(), "FUSEBILL_API_KEY="+apiKey)
	for _, w := range []struct {
		to           **workspace
		name, config string
		each         int
	}{
		{&b.latches, "latches", latchesConfig, oneLatch},
		{&b.data, "data", dataConfig, oneLatch},
		{&b.set, "set", setConfig, allOfThem},
		{&b.parts, "parts", partsConfig, partOfThem},
		{&b.dataSet, "data-set", dataSetConfig, allOfThem},
	} {
		if *w.to, err = b.newWorkspace(ctx, w.name, w.config); err != nil {
			return nil, err
		}
		(*w.to).each = w.each
	}
	return b, b.learnStates(ctx)
}

func (b *bench) close() error { return os.RemoveAll(b.folder) }

func (b *bench) memoryFolder() string { return filepath.Join(b.folder, "memory") }

func (b *bench) tell(format string, args ...any) { fmt.Fprintf(b.progress, format+"\n", args...) }

// learnStates applies one instance of each kind, to learn how this CLI writes it.
func (b *bench) learnStates(ctx context.Context) error {
	a, err := b.openAccount(ctx, 1)
	if err != nil {
		return err
	}
	defer a.close()
	for _, t := range []task{b.apply(b.latches, a, 1), b.apply(b.data, nil, 1)} {
		if err := t.workspace.declare(a.chosen(1)); err != nil {
			return err
		}
		if _, err := b.measure(ctx, t); err != nil {
			return err
		}
		if err := t.workspace.learn(); err != nil {
			return err
		}
	}
	return nil
}

// openAccount opens an account whose limits nobody comes near.
func (b *bench) openAccount(ctx context.Context, customers int) (*account, error) {
	return openAccount(ctx, fusebillsim.Config{
		LimitMinute:     noLimit,
		LimitDay:        noLimit,
		DiscardRequests: true,
		Behavior:        fusebillsim.Behavior{Latency: b.latency},
	}, customers)
}

// measurement is what a command took.
type measurement struct {
	wall      time.Duration
	work      time.Duration // processor time of the CLI and the provider
	calls     map[fusebillsim.Route]int
	refused   int   // with 429
	memory    int64 // bytes of the provider's largest process; 0: not known
	stateSize int64 // bytes of the state file, before or after, whichever is more
}

// measure runs a command and checks that it did what is measured.
func (b *bench) measure(ctx context.Context, t task) (measurement, error) {
	before, err := t.workspace.stateSize()
	if err != nil {
		return measurement{}, err
	}
	if t.account != nil {
		t.account.ResetCalls()
	}
	env := append(slices.Clone(b.env), envMode+"="+string(t.mode), "FUSEBILL_BASE_URL="+t.account.baseURL())
	got, err := execute(ctx, t.workspace.folder, env, b.cli.Path, t.args...)
	if err != nil {
		return measurement{}, err
	}
	if err := t.check(got); err != nil {
		return measurement{}, fmt.Errorf("%s: %w:\n%s", strings.Join(t.args, " "), err, tail(got.output))
	}
	m := measurement{wall: got.took, work: got.worked}
	if t.account != nil {
		m.calls, m.refused = t.account.Calls(), t.account.RateLimited()
	}
	if m.memory, err = peakMemory(b.memoryFolder()); err != nil {
		return measurement{}, err
	}
	after, err := t.workspace.stateSize()
	m.stateSize = max(before, after)
	return m, err
}

// all is how many calls were made in all.
func (m measurement) all() int {
	sum := 0
	for n := range maps.Values(m.calls) {
		sum += n
	}
	return sum
}

// writes is how many of them were to change a latch.
func (m measurement) writes() int {
	return m.calls[fusebillsim.RouteLatch] + m.calls[fusebillsim.RouteUnlatch]
}

// worst takes in another measurement of the same: the least time, since other programs can only add to it, and the most
// of what is bounded.
func (m measurement) worst(other measurement) measurement {
	if m.wall == 0 {
		return other
	}
	if other.all() > m.all() {
		m.calls = other.calls
	}
	m.wall = min(m.wall, other.wall)
	m.work = min(m.work, other.work)
	m.refused = max(m.refused, other.refused)
	m.memory = max(m.memory, other.memory)
	return m
}

// tail is the end of a text, which says what has gone wrong.
func tail(text string) string {
	const most = 4000
	return text[max(len(text)-most, 0):]
}
