package acceptance

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// The matrix of commands: what each command of the CLI does in each situation of the account. The
// outcomes are in testdata/commands.json, from which the guide about commands is made, see
// commands_page_test.go. Each cell has to keep the promises of [commandRun.check], besides.
//
// The real CLI runs every cell, because it decides on much of the outcome: it plans a tainted
// object as a replacement, drops the warnings of the plan before a destroy, and plans a saved plan
// again. One command for each cell is enough, since all cells share the states and the plans that
// one run has made before. A command takes a quarter of a second of CPU, and all cells take a
// minute. So `make test` runs a third of them, and `make faults` runs all and writes the guide.

// outcome is what a user sees of a cell.
type outcome struct {
	Plan    string `json:"plan,omitempty"` // the actions that are planned for the resource
	Ends    ending `json:"ends"`
	Says    string `json:"says,omitempty"` // errors and warnings, each once
	State   string `json:"state"`          // the latch of the subject in the state
	Account string `json:"account"`        // the latch of the subject in the account
}

// ending is how a command ends.
type ending string

const (
	unchanged     ending = "no changes"
	applied       ending = "applied"
	failedAtPlan  ending = "failed at plan"
	failedAtApply ending = "failed at apply"
	failed        ending = "failed" // a command without a plan
)

// prepared are the files that the cells of a kind start from, by their names in [command].
type prepared map[string]string

// prepare makes the states and plans with the real CLI.
func prepare(t *testing.T, kind latchKind) prepared {
	t.Helper()
	a := acctest.AccountOfYear(t, 2020, customersWith(0, 0)...)
	c := acctest.NewWorkspace(t, a)
	c.UseAccount(a.URL)
	files := prepared{}
	keep := func(name, file string) {
		text, err := os.ReadFile(filepath.Join(c.Dir, file))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	c.Declare(kind.blocks("test", 0, contactOf(neighbour))...)
	c.Apply()
	keep("without", stateFile)
	c.Declare(kind.blocks("test", priorContact, contactOf(neighbour))...)
	c.Apply()
	keep("with", stateFile)
	c.Run(0, "plan", "-destroy", "-out="+planFile)
	keep("destroy", planFile)
	c.Declare(kind.blocks("test", declaredContact, contactOf(neighbour))...)
	c.Run(0, "plan", "-out="+planFile)
	keep("update", planFile)
	c.Run(0, "taint", kind.address("test"))
	keep("tainted", stateFile)
	return files
}

func TestAccCommands(t *testing.T) {
	t.Parallel()
	if os.Getenv(resource.EnvTfAcc) == "" {
		t.Skipf("Acceptance tests skipped unless env '%s' set", resource.EnvTfAcc)
	}
	all := runsAll()
	results := commandResults{}
	var mu sync.Mutex
	t.Run("matrix", func(t *testing.T) {
		for k, kind := range latchKinds {
			t.Run(string(kind), func(t *testing.T) {
				t.Parallel()
				files := prepare(t, kind)
				for i, command := range commandTable {
					for j, situation := range situationTable {
						if !all && (i+j+k)%3 != 0 || situation.applies != nil && !situation.applies(command) {
							continue
						}
						t.Run(command.name+"/"+situation.name, func(t *testing.T) {
							t.Parallel()
							r := &commandRun{t: t, kind: kind, command: command, situation: situation, files: files}
							got := r.play()
							mu.Lock()
							defer mu.Unlock()
							results.add(command.name, situation.name, kind, got)
						})
					}
				}
			})
		}
	})
	if t.Failed() {
		return
	}
	written := readResults[commandResults](t, commandResultsFile)
	if all {
		results.write(t, written)
	}
	results.compare(t, written) // A change is to be read, even where it is written by now.
}

// commandRun is the run of a cell.
type commandRun struct {
	t         *testing.T
	kind      latchKind
	command   command
	situation situation
	files     prepared

	right, used   acctest.Account // the account of the state, and the one that the run uses
	cli           *acctest.Workspace
	output        string
	before        []map[int64]acctest.Customer // the latches of both accounts
	stateBefore   map[int64]acctest.Customer
	stateAfter    map[int64]acctest.Customer
	neighbourGoal int64
}

// play runs the cell, checks the promises, and returns the outcome.
func (r *commandRun) play() outcome {
	r.prepare()
	cmd, output := r.cli.Command(r.command.args(r.kind)...)
	err := cmd.Run()
	code := cmd.ProcessState.ExitCode()
	if r.output = output.String(); code != 0 && code != 1 {
		r.t.Fatalf("%s: %v\n%s", cmd.Args[1:], err, r.output)
	}
	r.stateAfter = byCustomer(r.cli.Latches())
	got := r.outcome(code == 0)
	r.check(got, code == 0)
	if r.t.Failed() {
		r.t.Logf("%+v\n%s", got, r.output)
	}
	return got
}

// prepare makes the accounts, the workspace and the situation.
func (r *commandRun) prepare() {
	siblingContact := contactOf(sibling)
	if r.command.isCreate && !r.command.isReadOnly {
		siblingContact = 0
	}
	r.right = acctest.AccountOfYear(r.t, 2020, customersWith(r.command.prior(), siblingContact)...)
	r.used = r.right
	if r.situation.other != nil {
		r.used = acctest.AccountOfYear(r.t, 2021, r.situation.other()...)
	}
	url := r.used.URL
	if r.situation.isWrongPath {
		url = strings.TrimSuffix(url, "/v1")
	}
	r.cli = acctest.NewWorkspace(r.t, r.right)
	if r.command.skip != nil {
		r.command.skip(r.cli)
	}
	r.cli.MayBeTainted = r.command.state == "tainted"
	r.cli.UseAccount(url)
	state := "with"
	switch {
	case r.command.state != "":
		state = r.command.state
	case r.command.isCreate:
		state = "without"
	}
	r.cli.Write(stateFile, r.files[state])
	if r.command.savedBy != "" {
		r.cli.Write(planFile, r.files[r.command.savedBy])
	}
	r.neighbourGoal = contactOf(neighbour)
	if r.command.name == "-target" {
		r.neighbourGoal++ // A change that is not targeted.
	}
	label := "test"
	if r.command.label != "" {
		label = r.command.label
	}
	blocks := r.kind.blocks(label, r.command.contact, r.neighbourGoal)
	if r.command.blocks != nil {
		blocks = append(blocks, r.command.blocks(r.kind)...)
	}
	r.cli.Declare(blocks...)
	if r.situation.change != nil {
		r.situation.change(r.right, r.command)
	}
	r.stateBefore = byCustomer(r.cli.Latches())
	r.before = []map[int64]acctest.Customer{latchesOf(r.right), latchesOf(r.used)}
	r.right.ResetCalls()
	r.used.ResetCalls()
}

func byCustomer(latches acctest.LatchSet) map[int64]acctest.Customer {
	all := map[int64]acctest.Customer{}
	for _, h := range latches {
		all[h.ID] = h
	}
	return all
}

// latchesOf are the customers of an account with their latches.
func latchesOf(a acctest.Account) map[int64]acctest.Customer {
	all := map[int64]acctest.Customer{}
	for _, c := range a.Customers() {
		all[c.ID] = acctest.Customer{ID: c.ID, Contact: c.HubSpotID, Company: c.HubSpotCompanyID}
	}
	return all
}

// event is a line of what the CLI prints with -json.
type event struct {
	Type   string
	Change struct {
		Resource struct{ Addr string }
		Action   string
	}
	Diagnostic struct{ Severity, Summary string }
}

// outcome reads what the CLI has printed and done.
func (r *commandRun) outcome(succeeded bool) outcome {
	r.t.Helper()
	var got outcome
	texts, actions, isApplying := map[string]bool{}, map[string]bool{}, r.command.savedBy != ""
	addresses := []string{r.kind.address("test"), r.kind.address("renamed")}
	hasPlan := slices.Contains(r.command.args(r.kind), "-json")
	for line := range strings.Lines(r.output) {
		var e event
		if !hasPlan || json.Unmarshal([]byte(line), &e) != nil {
			continue
		}
		switch {
		case e.Type == "planned_change" && slices.Contains(addresses, e.Change.Resource.Addr):
			actions[e.Change.Action] = true
		case e.Type == "apply_start":
			isApplying = true
		case e.Type == "diagnostic":
			severity := strings.ToUpper(e.Diagnostic.Severity[:1]) + e.Diagnostic.Severity[1:]
			texts[severity+": "+e.Diagnostic.Summary] = true
		}
	}
	if !hasPlan {
		for _, match := range told.FindAllStringSubmatch(r.output, -1) {
			texts[strings.TrimSpace(match[1])] = true
		}
	}
	maps.DeleteFunc(texts, func(text string, _ bool) bool {
		return ownWarnings[text] || r.command.isUnordered && strings.HasPrefix(text, "Warning: ")
	})
	got.Says = strings.Join(slices.Sorted(maps.Keys(texts)), "; ")
	got.Plan = strings.Join(slices.Sorted(maps.Keys(actions)), ", ")
	switch {
	case succeeded && hasPlan && got.Plan == "" && r.command.name != "-refresh-only":
		got.Ends = unchanged
	case succeeded:
		got.Ends = applied
	case !hasPlan:
		got.Ends = failed
	case isApplying:
		got.Ends = failedAtApply
	default:
		got.Ends, got.Plan = failedAtPlan, "" // Of a plan that failed, the CLI shows a part.
	}
	got.State = r.words(r.stateBefore[subject], r.stateAfter[subject])
	got.Account = r.words(r.before[1][subject], latchesOf(r.used)[subject])
	return got
}

// ownWarnings are the CLI's own warnings about how it is used.
var ownWarnings = map[string]bool{
	"Warning: Provider development overrides are in effect": true,
	"Warning: Resource targeting is in effect":              true,
	"Warning: Applied changes may be incomplete":            true,
}

// Words for what became of the subject's latch.
const (
	noLatch      = "none"
	keptLatch    = "kept"
	removedLatch = "removed"
)

// words describe a change of the subject's latch.
func (r *commandRun) words(before, after acctest.Customer) string {
	switch {
	case before.Latch() == after.Latch() && before.Latch().IsZero():
		return noLatch
	case before.Latch() == after.Latch():
		return keptLatch
	case after.Latch().IsZero():
		return removedLatch
	case after.Contact == r.command.wanted():
		return "as declared"
	case after.Contact == foreignContact:
		return "the other contact"
	default:
		return fmt.Sprint(after.Latch())
	}
}

// check fails the test unless the cell keeps these promises:
//
//   - A latch of the account changes only to what the configuration declares, or is released by a
//     destroy or a replacement of a resource that has it in the state.
//   - The state loses a latch only where the account has none for the customer, or the command
//     destroys it, and shows nothing that the account does not have.
//   - In another account and with a wrong path, no account changes, no call writes, the state keeps
//     all it had, few calls are made, and a destroy fails.
//   - Success means that state and account have what is declared. A failure is an error with a
//     summary.
func (r *commandRun) check(got outcome, succeeded bool) {
	r.t.Helper()
	after := []map[int64]acctest.Customer{latchesOf(r.right), latchesOf(r.used)}
	for i, a := range []acctest.Account{r.right, r.used} {
		if n := a.Writes(); n > 0 && (r.situation.isOutside() || r.command.isReadOnly) {
			r.t.Errorf("%d writes in account %d", n, i)
		}
		for id, before := range r.before[i] {
			if now := after[i][id]; now != before && !r.mayBecome(id, before, now) {
				r.t.Errorf("customer %d of account %d was latched to %s and is to %s", id, i, before.Latch(), now.Latch())
			}
		}
	}
	r.checkState(after[1])
	switch {
	case !succeeded && !strings.Contains(got.Says, "Error: "):
		r.t.Error("the command failed without an error")
	case succeeded && r.situation.isOutside() && r.command.isDestroy:
		r.t.Error("the destroy reports success and has destroyed nothing")
	case succeeded && !r.situation.isOutside() && !r.command.isReadOnly:
		r.checkSuccess(after[1])
	}
	if n := r.used.Count(); n > mostCalls && r.situation.isOutside() {
		r.t.Errorf("%d calls, want at most %d: %v", n, mostCalls, r.used.Calls())
	}
}

// mostCalls is how many calls a run may make until it reports the wrong account.
const mostCalls = 12

// mayBecome reports whether a command may change the latch of a customer so.
func (r *commandRun) mayBecome(customer int64, before, now acctest.Customer) bool {
	if r.situation.isOutside() || r.command.isReadOnly {
		return false
	}
	_, isInState := r.stateBefore[customer]
	isOwn := slices.Contains(r.kind.managed(), customer)
	switch {
	case now.Latch().IsZero():
		return isInState && (r.command.isDestroy || r.command.isReplacement && isOwn) && before.Contact != r.foreign()
	case !isOwn || r.command.isDestroy:
		return false
	case customer == subject:
		return now.Contact == r.command.wanted() && before.Contact != r.foreign()
	default:
		return now.Contact == contactOf(customer)
	}
}

// foreign is the contact that a command must not overwrite: one that the state did not show when
// the plan was made.
func (r *commandRun) foreign() int64 {
	if r.command.isCreate || r.command.savedBy != "" {
		return foreignContact
	}
	return -1
}

// checkState fails the test unless the state after the command is that before it, or what the
// account has.
func (r *commandRun) checkState(account map[int64]acctest.Customer) {
	r.t.Helper()
	for id, before := range r.stateBefore {
		now, isKept := r.stateAfter[id]
		isProved := !r.situation.isOutside()
		switch {
		case isKept && now == before:
		case !isProved:
			r.t.Errorf("the state had customer %d latched to %s, and has %s", id, before.Latch(), now.Latch())
		case !isKept && !account[id].Latch().IsZero() && !r.command.removes():
			r.t.Errorf("the state has lost customer %d, which is latched to %s", id, account[id].Latch())
		case isKept && now.Latch() != account[id].Latch():
			r.t.Errorf("the state has customer %d latched to %s, and the account to %s", id, now.Latch(), account[id].Latch())
		}
	}
	for id, now := range r.stateAfter {
		if _, was := r.stateBefore[id]; !was && now.Latch() != account[id].Latch() {
			r.t.Errorf("the state has got customer %d latched to %s, and the account has %s",
				id, now.Latch(), account[id].Latch())
		}
	}
}

// checkSuccess fails the test unless state and account have what a command that succeeded declares.
func (r *commandRun) checkSuccess(account map[int64]acctest.Customer) {
	r.t.Helper()
	if r.command.isDestroy {
		if len(r.stateAfter) > 0 {
			r.t.Errorf("the state has %v after a destroy", r.stateAfter)
		}
		for id, before := range r.stateBefore {
			if account[id].Latch() == before.Latch() {
				r.t.Errorf("customer %d is still latched to %s", id, before.Latch())
			}
		}
		return
	}
	want := acctest.Customer{ID: subject, Contact: r.command.wanted()}
	if r.stateAfter[subject] != want || account[subject] != want {
		r.t.Errorf("the state has %s, and the account %s, want %s",
			r.stateAfter[subject].Latch(), account[subject].Latch(), want.Latch())
	}
}
