package acceptance

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
	"github.com/fusebill/terraform-provider-fusebill/internal/provider"
)

// The matrix of faults: everything that can go wrong with a call, in every operation, once and for good. The promises
// tested in each cell:
//
//   - what passes when it's tried again isn't seen at all;
//   - what doesn't is an error, and then state and account hold for each customer what was so before or what is declared;
//   - success means that both hold what is declared, to the letter;
//   - the next run without the fault ends with just that, and no other customer's latch has changed;
//   - the key is in nothing that was printed or written.
//
// What the user sees in each cell is in testdata/faults.json, from which the guide about faults is made: faults_page_test.go.
// `make faults` runs all cells and writes that; otherwise a third of them is run and compared with it.

// faults are what goes wrong.
var faultTable = []fault{
	{name: "No answer in time", slow: true, done: true, inject: simulated(fusebillsim.FaultLatencyAfter)},
	{name: "Answer that drips in", slow: true, done: true, inject: simulated(fusebillsim.FaultSlowDrip)},
	{name: "500 before anything is done", inject: simulated(fusebillsim.FaultStatus500Before)},
	{name: "500 after all is done", done: true, inject: simulated(fusebillsim.FaultStatus500After)},
	{name: "Connection dropped before anything is done", inject: simulated(fusebillsim.FaultDropBefore)},
	{name: "Connection dropped after all is done", done: true, inject: simulated(fusebillsim.FaultDropAfter)},
	{name: "HTTP/2 connection closed (GOAWAY)", speaks: http2, done: true, inject: played(goAway)},
	{name: "Answer that breaks off", done: true, inject: simulated(fusebillsim.FaultTruncatedBody)},
	{name: "Half of an answer that says it is whole", done: true, inject: simulated(fusebillsim.FaultTruncatedJSON)},
	{name: "Empty answer", done: true, inject: simulated(fusebillsim.FaultEmptyBody)},
	{name: "HTML page with status 200", done: true, inject: simulated(fusebillsim.FaultHTMLBody)},
	{name: "HTML page with status 502", done: true, inject: simulated(fusebillsim.FaultHTML502)},
	{name: "JSON labelled as text", harmless: true, inject: simulated(fusebillsim.FaultWrongContentType)},
	// Refused for half an hour, a run fails. Nobody wants to wait for that here.
	{name: "Calls of the minute used up", harmless: true, lasts: 2, inject: simulated(fusebillsim.FaultRateLimitMinute)},
	{name: "Calls of the day used up", final: true, ends: true, inject: simulated(fusebillsim.FaultRateLimitDay)},
	{name: "Key refused (401)", final: true, inject: simulated(fusebillsim.FaultUnauthorized)},
	{name: "Lists that are out of date", lies: true, routes: lists, inject: simulated(fusebillsim.FaultStaleList)},
	{name: "Customers missing from lists", lies: true, harmless: true, routes: lists, inject: missingRows},
	{name: "Lists without HubSpot IDs", harmless: true, routes: lists, inject: listsWithoutLatches},
	{name: "No answer has HubSpot IDs", final: true, done: true, isOrdered: true, inject: played(withoutLatches),
		unseen: func(op operation) bool { return slices.Equal(op.own, changes) || len(op.tells) > 1 }}, // They are read then.
	{name: "Answer that differs from the request", final: true, spares: true, inject: differing,
		unseen: func(op operation) bool { return len(op.tells) > 1 }}, // Who lists all can't be told of others.
	{name: "Redirect to another host", final: true, speaks: tlsHTTP, inject: func(r *faultRun, route fusebillsim.Route, times int) func() {
		return r.trick(route, times, redirect(elsewhere(r.t)))
	}},
	{name: "Redirect to plain HTTP", final: true, speaks: tlsHTTP, inject: played(redirect(withoutTLS))},
	{name: "Expired certificate", final: true, speaks: tlsHTTP, ofConnections: true, inject: expiredCertificate},
}

// fault is a row of the matrix.
type fault struct {
	name   string
	speaks speaks
	routes []fusebillsim.Route // on which it can show; nil: all
	inject func(r *faultRun, route fusebillsim.Route, times int) (mend func())

	final         bool                 // trying again makes no sense, so it shows even where it happens once
	unseen        func(operation) bool // and yet these operations get by
	ends          bool                 // no call is made any more, and so nothing is put back before the next run
	done          bool                 // the call was made all the same, which a write finds out
	harmless      bool                 // it never shows
	lies          bool                 // lists say what isn't so; who wants no more than a list gets that
	spares        bool                 // lists of all are spared, so that it is chance what an outage meets
	slow          bool                 // it takes longer than a call may
	ofConnections bool                 // it meets connections, whatever is called on them
	isOrdered     bool                 // its outcome depends on which of several reads side by side it meets
	lasts         int                  // calls that it meets where it lasts; 0: all
}

// simulated is a fault of the simulator's.
func simulated(kind fusebillsim.FaultKind) func(*faultRun, fusebillsim.Route, int) func() {
	return func(r *faultRun, route fusebillsim.Route, times int) func() {
		return r.simulate(fusebillsim.Fault{Kind: kind, Route: route, Times: times, Latency: acctest.Forever})
	}
}

// simulate injects a fault and counts the calls that it meets, by a fault beside it that does nothing else.
func (r *faultRun) simulate(f fusebillsim.Fault) (mend func()) {
	f.Match = r.meets
	count := f
	count.Kind, count.OnRequest = fusebillsim.FaultNone, func(*http.Request) { r.met.Add(1) }
	counted, mended := r.account.Inject(count), r.account.Inject(f)
	return func() { counted(); mended() }
}

// played is a fault of the front's.
func played(play trickster) func(*faultRun, fusebillsim.Route, int) func() {
	return func(r *faultRun, route fusebillsim.Route, times int) func() { return r.trick(route, times, play) }
}

// meets says whether a call is one to meet the fault. Where the operation takes what another customer holds, and the fault
// isn't in every call, it's the call that claims it: the others are those that make way for it, and put that back.
func (r *faultRun) meets(call *http.Request) bool {
	return !r.op.takes || r.moment == outage || routeOf(call) != fusebillsim.RouteLatch || acctest.CustomerOf(r.t, call) == subject
}

// trick makes the front do something to calls, and counts them.
func (r *faultRun) trick(route fusebillsim.Route, times int, play trickster) func() {
	return r.front.play(trick{route: route, left: times, meets: r.meets, play: func(w http.ResponseWriter, call *http.Request, next http.Handler) {
		r.met.Add(1)
		play(w, call, next)
	}})
}

func missingRows(r *faultRun, route fusebillsim.Route, times int) func() {
	return r.simulate(fusebillsim.Fault{Kind: fusebillsim.FaultMissingRows, Route: route, Times: times, IDs: []int64{subject, 12, giver}})
}

func listsWithoutLatches(r *faultRun, route fusebillsim.Route, times int) func() {
	return r.trick(route, times, withoutLatches)
}

func differing(r *faultRun, route fusebillsim.Route, times int) func() {
	if slices.Contains(changes, route) {
		return r.simulate(fusebillsim.Fault{Kind: fusebillsim.FaultDifferentAnswer, Route: route, Times: times})
	}
	return r.trick(route, times, aboutAnother(bystander))
}

func expiredCertificate(r *faultRun, _ fusebillsim.Route, times int) func() {
	off := r.front.expire(times)
	return func() { r.met.Add(r.front.shown.Load()); off() }
}

// operations are what is under way when it goes wrong.
var operationTable = []operation{
	{name: "create", own: changes, before: neighbours, after: neighbours.With(acctest.Customer{ID: subject, Contact: 101, Company: 202}), command: apply},
	// It's taken from the customer that holds it, who gets it back if that fails.
	{name: "create that takes a contact", own: changes, takes: true, before: neighbours, after: neighbours.With(acctest.Customer{ID: subject, Contact: 101, Company: 202}), command: apply},
	{name: "read", own: acctest.ReadRoutes, before: neighbours.With(acctest.Customer{ID: subject, Contact: 111}), after: neighbours.With(acctest.Customer{ID: subject, Contact: 101, Company: 202}, acctest.Customer{ID: 14}),
		drift: func(a acctest.Account) { a.SetLatch(subject, 101, 202); a.SetLatch(14, 0, 0) }, command: []string{"apply", "-refresh-only", "-auto-approve"}},
	{name: "update", own: changes, before: neighbours.With(acctest.Customer{ID: subject, Contact: 111}), after: neighbours.With(acctest.Customer{ID: subject, Contact: 101, Company: 202}), command: apply},
	{name: "delete", own: changes, before: neighbours.With(acctest.Customer{ID: subject, Contact: 111, Company: 211}), after: neighbours, command: apply},
	{name: "import", own: acctest.ReadRoutes, before: neighbours, after: neighbours.With(acctest.Customer{ID: subject, Contact: 101, Company: 202}),
		drift: func(a acctest.Account) { a.SetLatch(subject, 101, 202) }, command: []string{"import", address(subject), fmt.Sprint(subject)}},
	{name: "create of a set", own: changes, inSet: true, after: neighbours.With(acctest.Customer{ID: subject, Contact: 101, Company: 202}), command: apply},
	{name: "update of a set", own: changes, inSet: true, before: neighbours.With(acctest.Customer{ID: subject, Contact: 111}),
		after: neighbours.With(acctest.Customer{ID: subject, Contact: 101, Company: 202}, acctest.Customer{ID: 14}), command: apply},
	{name: "action", own: changes, before: neighbours.With(acctest.Customer{ID: subject, Contact: 111, Company: 211}), after: neighbours, protocol: (*faultRun).unlatch},
	{name: "data source of latches", own: acctest.ReadRoutes, before: neighbours, after: neighbours, tells: everybody, config: latchesData, command: apply},
	{name: "data source of a customer", own: acctest.ReadRoutes, before: neighbours, after: neighbours, tells: []int64{12}, config: customerData, command: apply},
	{name: "list", own: acctest.ReadRoutes, before: neighbours, after: neighbours, tells: everybody, protocol: (*faultRun).query},
}

// Configurations with one data source, whose latches an output tells.
var (
	latchesData  = acctest.Block(`data "fusebill_hubspot_latches" "test"`) + acctest.Block(`output "latches"`, "value = data.fusebill_hubspot_latches.test.latches")
	customerData = acctest.Block(`data "fusebill_customer" "test"`, "id = 12") +
		acctest.Block(`output "latches"`, "value = { (data.fusebill_customer.test.id) = data.fusebill_customer.test }")
)

var apply = []string{"apply", "-auto-approve"}

// operation is a column of the matrix.
type operation struct {
	name          string
	own           []fusebillsim.Route   // the calls that it is about
	before, after acctest.LatchSet      // what is declared, before and after it: in state, and in the account
	inSet         bool                  // as one resource
	takes         bool                  // from the giver, who hasn't given up anything
	drift         func(acctest.Account) // what others do, after the fault has begun
	command       []string              // of the CLI
	config        string                // in place of the latches that are declared

	tells    []int64                                                                                   // the customers whose latches it tells, where it keeps nothing
	protocol func(*faultRun, *acctest.Protocol) (told acctest.LatchSet, diags []*tfprotov6.Diagnostic) // what isn't run by the CLI, since not every one can
}

// The customers of each account.
const (
	subject   = 11 // whom the operation is about
	bystander = 21 // whose latch is nobody's concern
	giver     = 31 // who has held contact 101 until a moment ago, which lists that are out of date don't know
)

var everybody = []int64{subject, 12, 13, 14, bystander, giver}

var neighbours = acctest.LatchSet{{ID: 12, Contact: 112}, {ID: 13, Company: 213}, {ID: 14, Contact: 114, Company: 214}}

// moment says which calls meet a fault.
type moment string

const (
	once    moment = "once"    // the first of each kind; of a final fault, the first of the operation's own
	lasting moment = "lasting" // all of the operation's own
	outage  moment = "outage"  // all
)

// moments are those at which a fault makes a difference in an operation.
func moments(f fault, op operation) []moment {
	switch {
	case f.ofConnections, f.lies && !f.harmless: // Which list or connection is the first depends on what reads come side by side.
		return []moment{lasting}
	case f.isOrdered && op.name == "read": // A list that lacks the IDs is made up for, a single answer is not.
		return []moment{lasting}
	case f.spares || f.routes != nil || slices.Equal(op.own, acctest.ReadRoutes):
		return []moment{once, lasting}
	default:
		return []moment{once, lasting, outage}
	}
}

// faultRun is one run of a cell.
type faultRun struct {
	t       *testing.T
	fault   fault
	op      operation
	moment  moment
	front   *front
	account acctest.Account
	met     atomic.Int64 // calls that have met the fault
	cli     *acctest.Workspace
	printed strings.Builder
	told    acctest.LatchSet // by an operation of the protocol, at last
}

// untouched is what the user sees where no call met the fault.
const untouched = "-"

func TestAccFaults(t *testing.T) {
	t.Parallel()
	all := runsAll()
	results := faultResults{}
	var mu sync.Mutex
	t.Run("matrix", func(t *testing.T) {
		for i, f := range faultTable {
			for j, op := range operationTable {
				if !all && (i+j)%3 != 0 {
					continue
				}
				for _, moment := range moments(f, op) {
					t.Run(strings.ReplaceAll(f.name, "/", "")+"/"+op.name+"/"+string(moment), func(t *testing.T) {
						t.Parallel()
						r := &faultRun{t: t, fault: f, op: op, moment: moment}
						seen := r.play()
						mu.Lock()
						defer mu.Unlock()
						results.add(f.name, op.name, moment, seen)
					})
				}
			}
		}
	})
	if t.Failed() {
		return
	}
	written := readResults[faultResults](t, faultResultsFile)
	if all {
		results.write(t)
	}
	results.compare(t, written) // What has changed is to be read, even where it's written by now.
}

// play runs the cell and returns what the user sees.
func (r *faultRun) play() (seen string) {
	r.prepare()
	mend := r.inject()
	if r.op.drift != nil {
		r.op.drift(r.account)
	}
	if !r.op.takes {
		r.account.SetLatch(giver, 0, 0)
	}
	succeeded, seen := r.operate()
	mend()
	believed := r.fault.lies && slices.Equal(r.op.own, acctest.ReadRoutes)
	r.check(succeeded && !believed)
	unfindable := r.op.takes && r.fault.routes != nil // Only lists tell who holds what is to be taken.
	switch {
	case r.met.Load() == 0 && (!succeeded || seen != ""):
		r.t.Errorf("no call met the fault, and yet there is %q", seen)
	case r.met.Load() == 0:
		seen = untouched
	case !succeeded && !strings.Contains(seen, "Error: "):
		r.t.Error("it failed without a word")
	case seen != "" && r.fault.done && r.moment == lasting && slices.Equal(r.op.own, changes):
		r.t.Errorf("the change was made, and there is %q", seen)
	case seen != "" && (r.fault.harmless && !unfindable || r.moment == once && !r.fault.final && !r.fault.lies):
		r.t.Errorf("it should have been survived, and there is %q", seen)
	case succeeded && seen == "" && r.fault.final && (r.fault.unseen == nil || !r.fault.unseen(r.op)):
		r.t.Error("nothing tells that something is wrong")
	}
	r.converge()
	r.keepsSecrets()
	if r.t.Failed() {
		r.t.Logf("seen: %q, %d calls met the fault\n%s", seen, r.met.Load(), r.printed.String())
	}
	return seen
}

// prepare makes the account, state and configuration.
func (r *faultRun) prepare() {
	customers := acctest.LatchSet{{ID: subject}, {ID: bystander, Contact: 121, Company: 221}, {ID: giver, Contact: 101}}
	for _, h := range slices.Concat(neighbours.Unlatched(), r.op.before) {
		customers = append(slices.DeleteFunc(customers, func(c acctest.Customer) bool { return c.ID == h.ID }), h)
	}
	r.front, r.account = newFront(r.t, r.fault.speaks, customers...)
	if r.op.protocol != nil {
		return
	}
	r.cli = acctest.NewWorkspace(r.t, r.account)
	r.cli.Write("provider.tf", acctest.Required+r.provider())
	if r.op.config != "" {
		r.cli.Declare(r.op.config)
		return
	}
	if len(r.op.before) > 0 {
		r.cli.Write("terraform.tfstate", r.state(r.op.before))
	}
	if r.op.inSet {
		r.cli.Declare(r.op.after.Block())
		return
	}
	var blocks []string
	for _, h := range r.op.after {
		var arguments []string
		if r.op.takes {
			arguments = []string{"allow_reassociation = true"}
		}
		blocks = append(blocks, strings.Replace(h.Block(arguments...), `"test"`, fmt.Sprintf("%q", label(h.ID)), 1))
	}
	r.cli.Declare(blocks...)
}

// callTimeout is more than a call takes here, even where the machine is busy: the first retry would be too many.
const callTimeout = "2s"

// provider is the provider's block. One retry is as good as four.
func (r *faultRun) provider() string {
	settings := []string{fmt.Sprintf("base_url = %q", r.account.URL), "max_retries = 1"}
	if r.fault.slow {
		settings = append(settings, fmt.Sprintf("request_timeout = %q", callTimeout))
	}
	if r.front.authority != "" {
		settings = append(settings, "ca_certificate = <<-PEM\n"+r.front.authority+"PEM\n")
	}
	return acctest.ProviderBlock(settings...)
}

func label(customer int64) string { return fmt.Sprintf("of_%d", customer) }

func address(customer int64) string { return acctest.LatchType + "." + label(customer) }

// state is a state file that holds these latches.
func (r *faultRun) state(s acctest.LatchSet) string {
	host := "registry.terraform.io"
	if r.cli.CLI.IsOpenTofu() {
		host = "registry.opentofu.org"
	}
	var resources []string
	add := func(typeName, label, attributes string) {
		resources = append(resources, acctest.Foreign{Provider: host + "/fusebill/fusebill", TypeName: typeName, State: attributes}.InState(label))
	}
	if r.op.inSet {
		var contacts, companies []string
		for _, h := range s {
			if h.Contact != 0 {
				contacts = append(contacts, fmt.Sprintf(`"%d": "%d"`, h.ID, h.Contact))
			}
			if h.Company != 0 {
				companies = append(companies, fmt.Sprintf(`"%d": "%d"`, h.ID, h.Company))
			}
		}
		add(acctest.LatchesType, "test", fmt.Sprintf(`{"hubspot_ids": {%s}, "hubspot_company_ids": {%s}}`,
			strings.Join(contacts, ", "), strings.Join(companies, ", ")))
	} else {
		for _, h := range s {
			var ids []string
			for attribute, id := range map[string]int64{"hubspot_id": h.Contact, "hubspot_company_id": h.Company} {
				if id != 0 {
					ids = append(ids, fmt.Sprintf(`, %q: "%d"`, attribute, id))
				}
			}
			add(acctest.LatchType, label(h.ID), fmt.Sprintf(`{"fusebill_id": "%d"%s}`, h.ID, strings.Join(ids, "")))
		}
	}
	return acctest.StateOf(resources...)
}

// inject begins the fault.
func (r *faultRun) inject() (mend func()) {
	routes := allRoutes
	if r.moment == lasting || r.moment == once && r.fault.final {
		routes = r.op.own
	}
	if r.fault.routes != nil {
		routes = r.fault.routes
	}
	if r.fault.ofConnections {
		routes = routes[:1]
	}
	times := 1
	if r.moment != once {
		times = r.fault.lasts
		if times == 0 {
			times = -1
		}
	}
	var mends []func()
	for _, route := range routes {
		mends = append(mends, r.fault.inject(r, route, times))
	}
	return func() {
		for _, mend := range mends {
			mend()
		}
	}
}

// operate does what the operation is about.
func (r *faultRun) operate() (succeeded bool, seen string) {
	if r.op.protocol == nil {
		return r.run(r.op.command...)
	}
	told, diags := r.op.protocol(r, r.configured())
	texts := map[string]bool{}
	succeeded = true
	for _, d := range diags {
		kind := "Warning: "
		if d.Severity == tfprotov6.DiagnosticSeverityError {
			kind, succeeded = "Error: ", false
		}
		texts[kind+d.Summary] = true
		fmt.Fprintf(&r.printed, "%s%s\n%s\n", kind, d.Summary, d.Detail)
	}
	r.told = told
	return succeeded, strings.Join(slices.Sorted(maps.Keys(texts)), "; ")
}

// configured is a provider in this process, set as the one that the CLI runs.
func (r *faultRun) configured() *acctest.Protocol {
	r.t.Helper()
	p := acctest.NewProtocol(r.t, r.account.Simulator)
	p.Server = provider.NewServerWith("test", []fusebill.Option{fusebill.WithRetryWait(time.Millisecond, time.Millisecond)}, nil)()
	settings := map[string]tftypes.Value{
		"api_key":     tftypes.NewValue(tftypes.String, acctest.APIKey),
		"base_url":    tftypes.NewValue(tftypes.String, r.account.URL),
		"max_retries": tftypes.NewValue(tftypes.Number, 1),
	}
	if r.fault.slow {
		settings["request_timeout"] = tftypes.NewValue(tftypes.String, callTimeout)
	}
	if r.front.authority != "" {
		settings["ca_certificate"] = tftypes.NewValue(tftypes.String, r.front.authority)
	}
	resp, err := p.Server.ConfigureProvider(r.t.Context(), &tfprotov6.ConfigureProviderRequest{Config: p.Value(p.ProviderType, settings)})
	p.Succeeded(resp.Diagnostics, err)
	return p
}

// query lists the account's latches.
func (r *faultRun) query(p *acctest.Protocol) (told acctest.LatchSet, diags []*tfprotov6.Diagnostic) {
	p.List(r.t.Context(), acctest.Listing{IncludeResource: true}, func(result tfprotov6.ListResourceResult) bool {
		diags = append(diags, result.Diagnostics...)
		if result.Resource != nil {
			told = append(told, heldIn(p, result.Resource))
		}
		return true
	})
	return told, diags
}

// unlatch removes the subject's latch by the action.
func (r *faultRun) unlatch(p *acctest.Protocol) (told acctest.LatchSet, diags []*tfprotov6.Diagnostic) {
	said, diags := p.Unlatch(acctest.Customer{ID: subject})
	fmt.Fprintln(&r.printed, said)
	return nil, diags
}

// heldIn reads a latch.
func heldIn(p *acctest.Protocol, encoded *tfprotov6.DynamicValue) acctest.Customer {
	p.T.Helper()
	value, err := encoded.Unmarshal(p.LatchType)
	var attributes map[string]tftypes.Value
	if err == nil {
		err = value.As(&attributes)
	}
	if err != nil {
		p.T.Fatal(err)
	}
	id := func(name string) int64 {
		if attributes[name].IsNull() {
			return 0
		}
		var text string
		if err := attributes[name].As(&text); err != nil {
			p.T.Fatal(err)
		}
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			p.T.Fatal(err)
		}
		return id
	}
	return acctest.Customer{ID: id("fusebill_id"), Contact: id("hubspot_id"), Company: id("hubspot_company_id")}
}

// announcements are warnings that say what a plan does, with and without a fault.
var announcements = map[string]bool{
	"Warning: HubSpot latches will be removed": true,
	// A create that ended with errors is resumed by the next run.
	"Warning: HubSpot latch set is resumed": true,
	// The tests' own way to name a provider isn't the user's.
	"Warning: Provider development overrides are in effect": true,
}

// announcedTaking is what a plan says that takes a contact.
const announcedTaking = "Warning: HubSpot contact is latched to another customer"

// told matches the summary of an error or a warning of the CLI, which follows an empty line: the API's own "Error: " may begin
// a line, too.
var told = regexp.MustCompile(`(?m)^[│╷ ]*\n[│ ]*((?:Error|Warning): .*)$`)

// run runs a command of the CLI, and says whether it succeeded and which errors and warnings it shows, each once.
func (r *faultRun) run(args ...string) (succeeded bool, seen string) {
	r.t.Helper()
	cmd, output := r.cli.Command(append([]string{args[0], "-no-color"}, args[1:]...)...)
	err := cmd.Run()
	fmt.Fprintf(&r.printed, "%s\n%s\n", args, output)
	if code := cmd.ProcessState.ExitCode(); code != 0 && code != 1 {
		r.t.Fatalf("%s: %v\n%s", args, err, output)
	}
	texts := map[string]bool{}
	for _, match := range told.FindAllStringSubmatch(output.String(), -1) {
		text := strings.TrimSpace(match[1])
		isAnnounced := announcements[text] || r.op.takes && text == announcedTaking
		if !isAnnounced {
			texts[text] = true
		}
	}
	return err == nil, strings.Join(slices.Sorted(maps.Keys(texts)), "; ")
}

// check fails the test unless state and account hold what may be held after a run. Success promises that it's what is
// declared, unless what was believed was a lie.
func (r *faultRun) check(succeeded bool) {
	r.t.Helper()
	if len(r.op.tells) > 0 {
		r.checkList(succeeded)
		return
	}
	var state acctest.LatchSet
	if r.cli != nil {
		state = r.cli.Latches()
	}
	for _, customer := range []int64{subject, 12, 13, 14} {
		before, after := latchOf(r.op.before, customer), latchOf(r.op.after, customer)
		places := map[string]acctest.Customer{"the account": r.inAccount(customer)}
		if r.cli != nil {
			places["state"] = latchOf(state, customer)
		}
		for where, got := range places {
			if got != after && (succeeded || got != before) {
				r.t.Errorf("success: %v, and %s has customer %d latched to %s, want %s (before: %s)", succeeded, where, customer, got.Latch(), after.Latch(), before.Latch())
			}
		}
	}
	given := acctest.Customer{ID: giver}
	if r.op.takes && r.inAccount(subject) != latchOf(r.op.after, subject) {
		given.Contact = 101
	}
	if r.fault.ends && !succeeded && r.op.takes {
		given = r.inAccount(giver)
	}
	r.account.Holds(r.t, acctest.Customer{ID: bystander, Contact: 121, Company: 221}, given)
}

// checkList fails the test unless all is told, or nothing where that failed, and the account is as it was.
func (r *faultRun) checkList(succeeded bool) {
	r.t.Helper()
	told := r.told
	if r.op.protocol == nil {
		told = r.cli.Latches()
	}
	for _, customer := range r.op.tells {
		if got, want := latchOf(told, customer), r.inAccount(customer); succeeded && got != want {
			r.t.Errorf("customer %d is said to be latched to %s, and is to %s", customer, got.Latch(), want.Latch())
		}
	}
	r.account.Holds(r.t, r.op.after.With(acctest.Customer{ID: bystander, Contact: 121, Company: 221})...)
	if n := r.account.Writes(); n > 0 {
		r.t.Errorf("%d writes", n)
	}
}

// of is the latch of a customer in a set, without IDs where it has none.
func latchOf(s acctest.LatchSet, customer int64) acctest.Customer {
	for _, h := range s {
		if h.ID == customer {
			return h
		}
	}
	return acctest.Customer{ID: customer}
}

func (r *faultRun) inAccount(customer int64) acctest.Customer {
	c, _ := r.account.Customer(customer)
	return acctest.Customer{ID: customer, Contact: c.HubSpotID, Company: c.HubSpotCompanyID}
}

// converge does once more what was to be done, and fails the test unless everything is as declared then.
func (r *faultRun) converge() {
	r.t.Helper()
	if r.op.name == "import" && latchOf(r.cli.Latches(), subject) == (acctest.Customer{ID: subject}) {
		if succeeded, seen := r.run(r.op.command...); !succeeded {
			r.t.Errorf("the next import failed: %s", seen)
		}
	}
	again := r.operate
	if r.op.protocol == nil {
		again = func() (bool, string) { return r.run(apply...) }
	}
	if succeeded, seen := again(); !succeeded || seen != "" {
		r.t.Errorf("the next run ends with success: %v, and %q", succeeded, seen)
	}
	r.check(true)
}

// keepsSecrets fails the test if the key, or a part of it, was printed or written.
func (r *faultRun) keepsSecrets() {
	r.t.Helper()
	written := map[string]string{"what was printed": r.printed.String()}
	if r.cli != nil {
		maps.Copy(written, acctest.FilesBelow(r.t, r.cli.Dir))
	}
	acctest.KeepsKey(r.t, written)
}
