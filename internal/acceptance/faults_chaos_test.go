package acceptance

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// Chaos: one call of twenty meets a fault of a random kind. In some tests, the provider is killed
// or Terraform is interrupted, too. This is the promise: after at most three applies, at the end of
// each round, each latch is as declared in state and account, and no other customer's latch has
// changed.
//
// `make faults` runs it at full size. TEST_SEED is the seed to repeat.

// lastingKinds fail a call in spite of all retries, and the last of them fails the whole run. Each
// is injected once: at random, a run of thousands of calls would never end.
var lastingKinds = []fusebillsim.FaultKind{
	fusebillsim.FaultDifferentAnswer, fusebillsim.FaultUnauthorized,
	fusebillsim.FaultRedirectHost, fusebillsim.FaultRedirectPlainHTTP, fusebillsim.FaultRateLimitDay,
}

// passingKinds are the kinds that a retry survives.
var passingKinds = []fusebillsim.FaultKind{
	fusebillsim.FaultStatus500Before, fusebillsim.FaultStatus500After,
	fusebillsim.FaultDropBefore, fusebillsim.FaultDropAfter,
	fusebillsim.FaultLatencyBefore, fusebillsim.FaultLatencyAfter, fusebillsim.FaultSlowDrip,
	fusebillsim.FaultTruncatedBody, fusebillsim.FaultTruncatedJSON, fusebillsim.FaultEmptyBody,
	fusebillsim.FaultNotJSON, fusebillsim.FaultWrongContentType,
	fusebillsim.FaultHTMLBody, fusebillsim.FaultHTML502, fusebillsim.FaultStaleList, fusebillsim.FaultMissingRows,
	fusebillsim.FaultRateLimitMinute,
}

// chaos is an account with random faults, and a workspace that changes its latches.
type chaos struct {
	t        *testing.T
	dice     *rand.Rand
	account  acctest.Account
	cli      *acctest.Workspace
	block    func(acctest.LatchSet) string // how latches are declared
	declared acctest.LatchSet
	others   acctest.LatchSet // customers that are not declared
	faults   atomic.Int64
	applies  int
	most     int // applies until all was done
}

const appliesUntilDone = 3

// newChaos makes an account of n customers to declare, and 50 others.
func newChaos(t *testing.T, n int64, block func(acctest.LatchSet) string) *chaos {
	t.Helper()
	seed := acctest.Seed(t)
	dice := rand.New(rand.NewPCG(seed, uint64(n)))
	x := &chaos{t: t, dice: dice, block: block, declared: acctest.NumberedSet(n, 100_000)}
	for id := range int64(50) {
		x.others = append(x.others, acctest.Customer{ID: n + 1 + id, Contact: 900_000 + id})
	}
	_, x.account = newFront(t, plainHTTP, append(x.declared.Unlatched(), x.others...)...)
	x.cli = acctest.NewWorkspace(t, x.account)
	x.cli.Write("provider.tf", acctest.Required+acctest.ProviderBlock(fmt.Sprintf("base_url = %q", x.account.URL)))
	t.Cleanup(func() {
		t.Logf("seed %d: %d applies, at most %d until all was done, %d faults", seed, x.applies, x.most, x.faults.Load())
		if t.Failed() {
			t.Logf("repeat with %s=%d", acctest.EnvSeed, seed)
		}
	})
	return x
}

// begin injects faults until end is called: passing ones at random, and each of the lasting ones
// into one call that changes a latch.
func (x *chaos) begin(lasting ...fusebillsim.FaultKind) (end func()) {
	ends := []func(){x.account.InjectChaos(fusebillsim.Chaos{
		Probability: 0.05, Seed: x.dice.Uint64(), Kinds: passingKinds, Latency: 20 * time.Millisecond,
		OnFault: func(fusebillsim.FaultKind) { x.faults.Add(1) },
	})}
	n := len(x.declared)
	for i, kind := range lasting {
		ends = append(ends, x.account.Inject(fusebillsim.Fault{
			Kind: kind, Route: fusebillsim.RouteLatch,
			After:     n*i/len(lasting) + x.dice.IntN(n/len(lasting)),
			OnRequest: func(*http.Request) { x.faults.Add(1) },
		}))
	}
	return func() {
		for _, end := range ends {
			end()
		}
	}
}

// declare makes these latches the configuration.
func (x *chaos) declare(s acctest.LatchSet) {
	x.declared = s
	x.cli.Declare(x.block(s))
}

// apply applies until it succeeds. It fails the test if that takes more than three applies, or if a
// latch is wrong at the end.
func (x *chaos) apply() {
	x.t.Helper()
	var output string
	for n := 1; n <= appliesUntilDone; n++ {
		x.applies++
		cmd, buffer := x.cli.Command("apply", "-no-color", "-auto-approve")
		err := cmd.Run()
		if output = buffer.String(); err == nil {
			x.most = max(x.most, n)
			x.check()
			return
		}
	}
	x.t.Fatalf("%d applies were not enough. The last:\n%s", appliesUntilDone, output)
}

// check fails the test for each latch that is wrong, in state or in the account.
func (x *chaos) check() {
	x.t.Helper()
	x.account.Holds(x.t, append(x.others, x.declared...)...)
	state := map[int64]acctest.Customer{}
	for _, h := range x.cli.Latches() {
		state[h.ID] = h
	}
	for _, want := range x.declared {
		if got := state[want.ID]; got != want {
			x.t.Errorf("state has customer %d latched to %s, want %s", want.ID, got.Latch(), want.Latch())
		}
	}
	if len(state) != len(x.declared) {
		x.t.Errorf("state has %d latches, want %d", len(state), len(x.declared))
	}
}

// asSingles declares each latch as a resource.
func asSingles(s acctest.LatchSet) string {
	return acctest.Block(`resource "fusebill_hubspot_latch" "test"`,
		"for_each = "+s.Expression(), "fusebill_id = each.key",
		"hubspot_id = each.value.hubspot_id", "hubspot_company_id = each.value.hubspot_company_id")
}

// asSet declares the latches as one latch set.
func asSet(s acctest.LatchSet) string { return s.Block("max_changes = 1000") }

func runsAll() bool { return os.Getenv("FAULTS") == "all" }

// sized returns the size or the number for this run: the full one, or that of a short run.
func sized[N int | int64](full, short N) N {
	if runsAll() {
		return full
	}
	return short
}

func TestAccFaultsChaos_create(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		n     int64
		block func(acctest.LatchSet) string
	}{
		"single latches": {sized[int64](1000, 60), asSingles},
		"a set":          {sized[int64](1000, 300), asSet},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newChaos(t, test.n, test.block)
			defer x.begin(lastingKinds...)()
			x.declare(x.declared)
			x.apply()
		})
	}
}

// TestAccFaultsChaos_stopped changes every latch in each round, and stops one apply of it.
func TestAccFaultsChaos_stopped(t *testing.T) {
	t.Parallel()
	for how, stop := range map[string]func(*acctest.Workspace, *exec.Cmd){
		"provider killed": (*acctest.Workspace).KillProvider, "interrupted": (*acctest.Workspace).Interrupt,
	} {
		for name, test := range map[string]struct {
			n      int64
			block  func(acctest.LatchSet) string
			change func(*chaos) acctest.LatchSet
		}{
			// Contacts move in chains and rings, which a set orders.
			"a set": {sized[int64](1000, 100), asSet, func(x *chaos) acctest.LatchSet {
				return x.declared.Shuffled(x.dice)
			}},
			// A ring of single latches settles only where all of them are changed at the same time.
			"single latches": {sized[int64](100, 30), asSingles, func(x *chaos) acctest.LatchSet {
				return x.declared.Renumbered(100_000 + 1000*(1+x.dice.Int64N(500)))
			}},
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				t.Parallel()
				x := newChaos(t, test.n, test.block)
				x.declare(x.declared)
				x.cli.Apply()
				for range sized(25, 3) { // Two such tests: 50 rounds of each way to stop.
					end := x.begin(lastingKinds[x.dice.IntN(len(lastingKinds))])
					x.declare(test.change(x))
					stopOnce(x.cli, x.account, 1+x.dice.Int64N(test.n*9/10), stop)
					x.apply()
					end()
				}
				x.cli.PlanIs(false)
			})
		}
	}
}

// stopOnce applies, and stops the apply at its n-th call that changes a latch.
func stopOnce(c *acctest.Workspace, a acctest.Account, n int64, stop func(*acctest.Workspace, *exec.Cmd)) {
	c.T.Helper()
	cmd, _ := c.Command("apply", "-no-color", "-auto-approve")
	started := make(chan struct{})
	defer a.Inject(fusebillsim.Fault{Route: fusebillsim.RouteLatch, After: int(n - 1), OnRequest: func(*http.Request) {
		<-started
		stop(c, cmd)
	}})()
	err := cmd.Start()
	close(started)
	if err != nil {
		c.T.Fatal(err)
	}
	_ = cmd.Wait() // Any exit code is right: the calls of other customers may have been the last.
}
