package acceptance

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// TestAccRandom runs random commands of the CLI with random configurations of single latches and
// latch sets, with changes by other users and faults in between. After each command it checks that
// no latch was lost or gained by surprise. At the end of each trial it checks that applies without
// faults lead to the declared latches.
//
// A trial follows from its seed, except for the order of concurrent calls. This runs 100 trials:
//
//	TEST_SEED=1 TEST_RUNS=100 make test TESTARGS='-run TestAccRandom ./internal/acceptance'
//
// The files random_*_test.go hold the parts: the configuration and its changes (config), the
// commands (command), and the promises (check).
func TestAccRandom(t *testing.T) {
	t.Parallel()
	first, runs := acctest.Seed(t), uint64(1)
	if n, err := strconv.ParseUint(os.Getenv("TEST_RUNS"), 10, 64); err == nil {
		runs = n
	}
	for seed := first; seed < first+runs; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			x := newTrial(t, seed)
			for range 3 + x.dice.IntN(4) {
				x.change()
				x.command()
			}
			x.settle()
		})
	}
}

// trial is a workspace in which random commands run.
type trial struct {
	t       *testing.T
	dice    *rand.Rand
	account acctest.Account
	cli     *acctest.Workspace
	config  randomConfig
	events  []string // all that happened, for the report of a failure
}

// The customers of a trial. Their IDs are long enough to be found in messages.
const (
	firstCustomer = 5_000_001
	fewCustomers  = 8
)

func newTrial(t *testing.T, seed uint64) *trial {
	t.Helper()
	x := &trial{t: t, dice: rand.New(rand.NewPCG(seed, 1))}
	var customers []acctest.Customer
	for i := range int64(fewCustomers) {
		c := acctest.Customer{ID: firstCustomer + i}
		if x.chance(3) {
			c.Contact = 101 + i
		}
		if x.chance(4) {
			c.Company = 201 + i
		}
		customers = append(customers, c)
	}
	x.account = acctest.AccountWith(t, customers...)
	if x.chance(3) {
		x.account.Configure(func(b *fusebillsim.Behavior) { b.Conflict = fusebillsim.ConflictMoves })
	}
	x.cli = acctest.NewWorkspace(t, x.account)
	x.cli.Write("provider.tf",
		acctest.Required+acctest.ProviderBlock(fmt.Sprintf("base_url = %q", x.account.URL), "max_retries = 2"))
	x.config = newRandomConfig(x)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s=%d TEST_RUNS=1\n%s", acctest.EnvSeed, seed, strings.Join(x.events, "\n"))
		}
	})
	return x
}

func (x *trial) note(format string, args ...any) {
	x.events = append(x.events, fmt.Sprintf(format, args...))
}

// chance reports true once in n times.
func (x *trial) chance(n int) bool { return x.dice.IntN(n) == 0 }

func (x *trial) anyCustomer() int64 { return firstCustomer + x.dice.Int64N(fewCustomers) }

// change changes the configuration, and sometimes the account.
func (x *trial) change() {
	for range 1 + x.dice.IntN(3) {
		x.config.change(x)
	}
	if x.chance(4) {
		x.changeByOthers()
	}
}

// changeByOthers changes the latch of one customer as another user of the account does.
func (x *trial) changeByOthers() {
	id := x.anyCustomer()
	latches := []acctest.Customer{{}, {Contact: 101 + x.dice.Int64N(10)}, {Contact: 901 + x.dice.Int64N(3)}}
	latch := latches[x.dice.IntN(len(latches))]
	x.account.SetLatch(id, latch.Contact, latch.Company)
	x.note("Others change customer %d. The account: %s", id, shown(x.held()))
}

// command runs a random command.
func (x *trial) command() {
	apply := []string{"apply", "-auto-approve", fmt.Sprintf("-parallelism=%d", []int{1, 2, 10, 30}[x.dice.IntN(4)])}
	declared, inState := x.config.addresses(), x.state().addresses()
	pick := func(all []string) string { return all[x.dice.IntN(len(all))] }
	switch n := x.dice.IntN(16); {
	case n == 0 && len(declared) > 0:
		x.run(append(apply, "-target="+pick(declared))...)
	case n == 1 && len(declared) > 0:
		x.run(append(apply, "-replace="+pick(declared))...)
	case n == 2 && len(inState) > 0:
		x.run("taint", pick(inState))
		x.run(apply...)
	case n == 3:
		x.run("apply", "-auto-approve", "-refresh-only")
	case n == 4 && len(inState) > 0:
		x.run("destroy", "-auto-approve", "-target="+pick(inState))
	case n == 5:
		x.stopped(apply, x.cli.Interrupt, interrupted)
	case n == 6:
		x.stopped(apply, x.cli.KillProvider, killed)
	case n == 7:
		x.withFaults(apply)
	case n == 8:
		x.run(append(apply, "-refresh=false")...)
	case n == 9 && len(inState) > 0 && x.chance(2):
		x.run("state", "rm", pick(inState))
	case n == 10 && x.chance(3):
		x.run("destroy", "-auto-approve")
	case n == 11:
		if x.run("plan", "-out=tfplan") == 0 {
			if x.chance(2) {
				x.changeByOthers()
			}
			x.run("apply", "tfplan")
		}
	case n == 12:
		x.withFailingWrites(apply)
	default:
		x.run(apply...)
	}
}

// disturbance is what happens during a command.
type disturbance int

const (
	undisturbed disturbance = iota
	interrupted
	killed
	faulty
)

// stopped runs an apply that is stopped at one of its first writes.
func (x *trial) stopped(apply []string, stop func(*exec.Cmd), how disturbance) {
	var cmd *exec.Cmd
	started := make(chan struct{})
	defer x.account.Inject(fusebillsim.Fault{
		Route: fusebillsim.RouteLatch, After: x.dice.IntN(3),
		OnRequest: func(*http.Request) {
			<-started
			stop(cmd)
		},
	})()
	x.runDisturbed(how, func(c *exec.Cmd) {
		cmd = c
		close(started)
	}, apply...)
}

// withFaults runs an apply whose calls fail at random.
func (x *trial) withFaults(apply []string) {
	x.note("One call of five fails.")
	defer x.account.InjectChaos(fusebillsim.Chaos{
		Probability: 0.2, Seed: x.dice.Uint64(), Kinds: passingKinds, Latency: 20 * time.Millisecond,
	})()
	x.runDisturbed(faulty, nil, apply...)
}

// withFailingWrites runs an apply in which all writes of one customer fail.
func (x *trial) withFailingWrites(apply []string) {
	kinds := []fusebillsim.FaultKind{
		fusebillsim.FaultDifferentAnswer, fusebillsim.FaultStatus500Before, fusebillsim.FaultStatus500After,
		fusebillsim.FaultUnauthorized, fusebillsim.FaultDropAfter,
	}
	kind, id := kinds[x.dice.IntN(len(kinds))], x.anyCustomer()
	x.note("Writes of customer %d fail: %s.", id, kind)
	defer x.account.Inject(fusebillsim.Fault{
		Kind: kind, Route: fusebillsim.RouteLatch, Times: -1,
		Match: func(r *http.Request) bool { return acctest.CustomerOf(x.t, r) == id },
	})()
	x.runDisturbed(faulty, nil, apply...)
}

// settle applies without faults until the declared latches are there.
func (x *trial) settle() {
	reason := x.reasonToRefuse()
	apply := []string{"apply", "-auto-approve", "-parallelism=30"}
	for range 3 {
		if x.run(apply...) == 0 {
			if x.config.isExclusive() {
				x.run(apply...) // The first apply of an exclusive set only records what it does not list.
			}
			x.run("plan", "-detailed-exitcode")
			return
		}
		if reason != "" {
			return
		}
	}
	if !strings.Contains(x.events[len(x.events)-1], "HubSpot latch would be removed by another resource") {
		x.t.Error("Three applies did not lead to the declared latches.")
	}
}

func (x *trial) run(args ...string) int { return x.runDisturbed(undisturbed, nil, args...) }

// hangs is how long a command may take.
const hangs = 4 * time.Minute

// runDisturbed runs a command, and checks its effects.
func (x *trial) runDisturbed(how disturbance, begun func(*exec.Cmd), args ...string) int {
	x.cli.Write("main.tf", x.config.hcl())
	before := x.snapshot(args)
	if !slices.Contains([]string{"taint", "state"}, args[0]) {
		args = slices.Insert(args, 1, "-no-color")
	}
	cmd, output := x.cli.Command(args...)
	err := cmd.Start()
	if begun != nil {
		begun(cmd)
	}
	if err != nil {
		x.t.Fatal(err)
	}
	hanging := time.AfterFunc(hangs, func() {
		x.t.Errorf("%v hangs", args)
		_ = cmd.Process.Signal(os.Interrupt)
	})
	_ = cmd.Wait() // The exit code says more.
	hanging.Stop()
	x.account.Settle()
	code := cmd.ProcessState.ExitCode()
	x.note("--- configuration:\n%s--- %s: exit code %d\n%s\n--- account before: %s\n--- account after: %s\n--- state: %s",
		x.config.hcl(), strings.Join(args, " "), code, withoutEmptyLines(output.String()), shown(before.held),
		shown(x.held()), x.state())
	x.check(before, finished{args, how, code, output.String()})
	return code
}

func withoutEmptyLines(output string) string {
	var lines []string
	for line := range strings.Lines(output) {
		if strings.TrimSpace(line) != "" {
			lines = append(lines, "    "+strings.TrimRight(line, "\n"))
		}
	}
	return strings.Join(lines, "\n")
}
