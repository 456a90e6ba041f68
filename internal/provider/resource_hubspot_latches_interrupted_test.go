package provider

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"sync/atomic"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The tests in this file stop an apply of a latch set: by Ctrl-C, or by killing the provider. They
// check that no latch is lost, and that the next apply makes the missing changes.

// stopAt runs an apply, and calls stop at its n-th latch call. This call and all later ones get no
// response until the provider cancels them. stopAt returns the output of the apply, which must end
// with an error.
func stopAt(c *acctest.Workspace, a acctest.Account, n int64, stop func(*exec.Cmd)) (output string) {
	c.T.Helper()
	cmd, buffer := c.Command("apply", "-no-color", "-auto-approve")
	started := make(chan struct{})
	var calls atomic.Int64
	removeFault := a.Inject(fusebillsim.Fault{
		Kind: fusebillsim.FaultLatencyBefore, Route: fusebillsim.RouteLatch, Latency: acctest.Forever, Times: -1,
		Match: func(*http.Request) bool {
			<-started
			call := calls.Add(1)
			if call == n {
				stop(cmd)
			}
			return call >= n
		},
	})
	endsWithError(c, cmd, buffer, started)
	removeFault()
	return buffer.String()
}

// endsWithError runs a command, and fails the test unless the command ends with an error. It closes
// started when the command has a process.
func endsWithError(c *acctest.Workspace, cmd *exec.Cmd, output *bytes.Buffer, started chan struct{}) {
	c.T.Helper()
	err := cmd.Start()
	close(started)
	if err == nil {
		err = cmd.Wait()
	}
	c.Ended(cmd, output, err, 1)
}

// dieAt runs an apply, and kills the provider at its n-th latch call, while other calls are under
// way.
func dieAt(c *acctest.Workspace, a acctest.Account, n int64) {
	c.T.Helper()
	cmd, output := c.Command("apply", "-no-color", "-auto-approve")
	started := make(chan struct{})
	var calls atomic.Int64
	removeFault := a.Inject(fusebillsim.Fault{
		Kind: fusebillsim.FaultNone, Route: fusebillsim.RouteLatch, Times: -1,
		OnRequest: func(*http.Request) {
			<-started
			if calls.Add(1) == n {
				c.KillProvider(cmd)
			}
		},
	})
	defer removeFault()
	endsWithError(c, cmd, output, started)
}

// If a create, update or destroy is interrupted, the state has the changes that were made, and the
// next apply makes the rest.
func TestAccCLILatches_interrupted(t *testing.T) {
	t.Parallel()
	declared := acctest.NumberedSet(100, 1000)
	for name, test := range map[string]struct {
		before, after acctest.LatchSet
	}{
		"create":  {nil, declared},
		"update":  {declared, declared.Unlatched().Renumbered(5000)},
		"destroy": {declared, acctest.LatchSet{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := acctest.AccountWith(t, declared.Unlatched()...)
			c := acctest.NewWorkspace(t, a)
			if test.before != nil {
				c.Declare(test.before.Block())
				c.Apply()
			}
			a.ResetCalls()
			if len(test.after) > 0 {
				c.Declare(test.after.Block("max_changes = 100"))
			} else {
				c.Declare()
			}
			output := stopAt(c, a, 40, c.Interrupt)
			acctest.Prints(t, output, "Interrupt received", "Error: Interrupted",
				"were not begun", "context canceled", "Run Terraform again to continue.")
			if state := setInState(c); len(test.after) > 0 {
				for key, contact := range state {
					var id int64
					if _, err := fmt.Sscanf(key, "hubspot_ids[%d]", &id); err != nil {
						t.Fatal(err)
					}
					customer, _ := a.Customer(id)
					if contact != fmt.Sprint(customer.HubSpotID) {
						t.Errorf("the state has contact %s for customer %d, which is latched to contact %d",
							contact, id, customer.HubSpotID)
					}
				}
			}
			written := a.Writes()
			lost := written - 39 // calls that got no response and were not made
			a.ResetCalls()
			c.Apply()
			if want := 100 - written + lost; a.Writes() != want {
				t.Errorf("%d writes, want %d for the rest", a.Writes(), want)
			}
			if name != "destroy" {
				neverUnlatched(t, a)
				showsSet(c, test.after)
				a.Holds(t, test.after...)
			} else {
				a.Holds(t, declared.Unlatched()...)
			}
			c.PlanIs(false)
		})
	}
}

// If the provider is killed, Terraform does not know which changes were made. The next apply reads
// the customers and makes the missing changes.
func TestAccCLILatches_killedProvider(t *testing.T) {
	t.Parallel()
	declared := acctest.NumberedSet(100, 1000)
	for name, before := range map[string]acctest.LatchSet{
		"create": nil, "update": declared.Unlatched().Renumbered(5000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := acctest.AccountWith(t, declared.Unlatched()...)
			c := acctest.NewWorkspace(t, a)
			if before != nil {
				c.Declare(before.Block())
				c.Apply()
			}
			c.Declare(declared.Block("max_changes = 100"))
			a.ResetCalls()
			stopAt(c, a, 40, c.KillProvider)
			a.ResetCalls()
			c.Apply()
			if n := a.Writes(); n != 100-39 {
				t.Errorf("%d writes, want %d for the missing changes", n, 100-39)
			}
			neverUnlatched(t, a)
			a.Holds(t, declared...)
			showsSet(c, declared)
			c.PlanIs(false)
		})
	}
}

// In each round, more customers than a batch has exchange their contacts, and the provider is
// killed at a random call.
func TestAccCLILatches_providerKilledAtRandomCalls(t *testing.T) {
	t.Parallel()
	const rounds, n = 20, 120 // more than a batch
	dice := rand.New(rand.NewPCG(20, 0))
	declared := acctest.NumberedSet(n, 10_000)
	a := acctest.AccountWith(t, declared...)
	c := acctest.NewWorkspace(t, a)
	c.Declare(declared.Block())
	c.Apply() // It adopts the latches of the account.
	for range rounds {
		declared = declared.Shuffled(dice)
		c.Declare(declared.Block(fmt.Sprint("max_changes = ", n)))
		dieAt(c, a, 1+dice.Int64N(n*9/10))
		c.Apply()
		a.Holds(t, declared...)
	}
	c.PlanIs(false)
}
