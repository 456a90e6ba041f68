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

// The matrix of faults: each way in which a call can fail, in each operation, once and lasting.
// These are the promises that each cell tests:
//
//   - a user does not see a fault that a retry survives;
//   - any other fault is an error, and state and account hold the prior or the declared latch of
//     each customer;
//   - after success, both hold exactly what is declared;
//   - the next run, without the fault, ends with what is declared, and no other customer's latch
//     has changed;
//   - the key is in no output and in no file.
//
// The file testdata/faults.json has what the user sees in each cell. faults_page_test.go makes the
// guide about faults from it. `make faults` runs all cells and writes the file; other runs compare
// a third of the cells with it.

// faultTable has the rows of the matrix.
var faultTable = []fault{
	{name: "No answer in time", slow: true, done: true, inject: simulated(fusebillsim.FaultLatencyAfter)},
	{name: "Answer that arrives too slowly", slow: true, done: true, inject: simulated(fusebillsim.FaultSlowDrip)},
	{name: "Status 500, the call not handled", inject: simulated(fusebillsim.FaultStatus500Before)},
	{name: "Status 500, the call handled", done: true, inject: simulated(fusebillsim.FaultStatus500After)},
	{name: "Connection dropped, the call not handled", inject: simulated(fusebillsim.FaultDropBefore)},
	{name: "Connection dropped, the call handled", done: true, inject: simulated(fusebillsim.FaultDropAfter)},
	{name: "HTTP/2 connection closed (GOAWAY)", speaks: http2, done: true, inject: played(goAway)},
	{name: "Answer cut off", done: true, inject: simulated(fusebillsim.FaultTruncatedBody)},
	{name: "Incomplete JSON", done: true, inject: simulated(fusebillsim.FaultTruncatedJSON)},
	{name: "Empty answer", done: true, inject: simulated(fusebillsim.FaultEmptyBody)},
	{name: "HTML page with status 200", done: true, inject: simulated(fusebillsim.FaultHTMLBody)},
	{name: "HTML page with status 502", done: true, inject: simulated(fusebillsim.FaultHTML502)},
	{name: "JSON labelled as text", harmless: true, inject: simulated(fusebillsim.FaultWrongContentType)},
	// A run fails once it is refused for half an hour, which is too long to wait here.
	{name: "Quota of the minute used up", harmless: true, lasts: 2, inject: simulated(fusebillsim.FaultRateLimitMinute)},
	{name: "Quota of the day used up", final: true, ends: true, inject: simulated(fusebillsim.FaultRateLimitDay)},
	{name: "Key refused (401)", final: true, inject: simulated(fusebillsim.FaultUnauthorized)},
	{name: "Outdated lists", lies: true, routes: lists, inject: simulated(fusebillsim.FaultStaleList)},
	{name: "Customers missing from lists", lies: true, harmless: true, routes: lists, inject: missingRows},
	{name: "Lists without HubSpot IDs", harmless: true, routes: lists, inject: listsWithoutLatches},
	{name: "All answers without HubSpot IDs", final: true, done: true, isOrdered: true, inject: played(withoutLatches),
		// These customers are then read individually.
		unseen: func(op operation) bool { return slices.Equal(op.own, changes) || len(op.reports) > 1 }},
	{name: "Answer that differs from the request", final: true, isOrdered: true, spares: true, inject: differing,
		// A list of all customers cannot be answered with another customer.
		unseen: func(op operation) bool { return len(op.reports) > 1 }},
	{name: "Redirect to another host", final: true, isOrdered: true, speaks: tlsHTTP, inject: redirectedElsewhere},
	{name: "Redirect to plain HTTP", final: true, isOrdered: true, speaks: tlsHTTP, inject: played(redirect(withoutTLS))},
	{name: "Expired certificate", final: true, speaks: tlsHTTP, ofConnections: true, inject: expiredCertificate},
}

// fault is a row of the matrix.
type fault struct {
	name   string
	speaks speaks
	routes []fusebillsim.Route // on which it can show; nil: all
	inject func(r *faultRun, route fusebillsim.Route, times int) (mend func())

	final         bool                 // no retry is made, so a single fault shows
	unseen        func(operation) bool // reports whether an operation succeeds in spite of a final fault
	ends          bool                 // no further call is made, so nothing is restored before the next run
	done          bool                 // the call was made in spite of the fault, which a write finds out
	harmless      bool                 // the fault never shows
	lies          bool                 // lists are wrong, and operations that read nothing else believe them
	spares        bool                 // lists of all are spared, so chance decides what an outage meets
	slow          bool                 // the call takes longer than request_timeout
	ofConnections bool                 // the fault meets connections, not calls
	isOrdered     bool                 // the outcome depends on which of several concurrent reads it meets
	lasts         int                  // the number of calls that a lasting fault meets; 0: all
}

// simulated is a fault that the simulator injects.
func simulated(kind fusebillsim.FaultKind) func(*faultRun, fusebillsim.Route, int) func() {
	return func(r *faultRun, route fusebillsim.Route, times int) func() {
		return r.simulate(fusebillsim.Fault{Kind: kind, Route: route, Times: times, Latency: acctest.Forever})
	}
}

// simulate injects a fault. A second fault, which does nothing else, counts the calls that meet it.
func (r *faultRun) simulate(f fusebillsim.Fault) (mend func()) {
	f.Match = r.meets
	count := f
	count.Kind, count.OnRequest = fusebillsim.FaultNone, func(*http.Request) { r.met.Add(1) }
	counted, mended := r.account.Inject(count), r.account.Inject(f)
	return func() { counted(); mended() }
}

// played is a fault that the front injects.
func played(play trickster) func(*faultRun, fusebillsim.Route, int) func() {
	return func(r *faultRun, route fusebillsim.Route, times int) func() { return r.trick(route, times, play) }
}

// meets reports whether a call meets the fault. In an operation that takes a contact from another
// customer, only an outage meets all calls. Any other fault meets the call that claims the contact,
// and not those that release or restore it.
func (r *faultRun) meets(call *http.Request) bool {
	return !r.op.takes || r.moment == outage || routeOf(call) != fusebillsim.RouteLatch ||
		acctest.CustomerOf(r.t, call) == subject
}

// trick makes the front do something to calls, and counts them.
func (r *faultRun) trick(route fusebillsim.Route, times int, play trickster) func() {
	counted := func(w http.ResponseWriter, call *http.Request, next http.Handler) {
		r.met.Add(1)
		play(w, call, next)
	}
	return r.front.play(trick{route: route, left: times, meets: r.meets, play: counted})
}

func redirectedElsewhere(r *faultRun, route fusebillsim.Route, times int) func() {
	return r.trick(route, times, redirect(elsewhere(r.t)))
}

func missingRows(r *faultRun, route fusebillsim.Route, times int) func() {
	return r.simulate(fusebillsim.Fault{
		Kind: fusebillsim.FaultMissingRows, Route: route, Times: times, IDs: []int64{subject, 12, giver},
	})
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

// operationTable has the columns of the matrix.
var operationTable = []operation{
	{name: "create", own: changes, before: neighbours, after: withSubject, command: apply},
	// The contact is taken from the customer that holds it, and restored if the operation fails.
	{name: "create that takes a contact", own: changes, takes: true, before: neighbours, after: withSubject,
		command: apply},
	{name: "read", own: acctest.ReadRoutes, before: withPrior, after: withoutOneNeighbour,
		drift:   func(a acctest.Account) { a.SetLatch(subject, 101, 202); a.SetLatch(14, 0, 0) },
		command: []string{"apply", "-refresh-only", "-auto-approve"}},
	{name: "update", own: changes, before: withPrior, after: withSubject, command: apply},
	{name: "delete", own: changes, before: withBoth, after: neighbours, command: apply},
	{name: "import", own: acctest.ReadRoutes, before: neighbours, after: withSubject,
		drift:   func(a acctest.Account) { a.SetLatch(subject, 101, 202) },
		command: []string{"import", address(subject), fmt.Sprint(subject)}},
	{name: "create of a set", own: changes, inSet: true, after: withSubject, command: apply},
	{name: "update of a set", own: changes, inSet: true, before: withPrior, after: withoutOneNeighbour, command: apply},
	{name: "action", own: changes, before: withBoth, after: neighbours, protocol: (*faultRun).unlatch},
	{name: "data source of latches", own: acctest.ReadRoutes, before: neighbours, after: neighbours,
		reports: everybody, config: latchesData, command: apply},
	{name: "data source of a customer", own: acctest.ReadRoutes, before: neighbours, after: neighbours,
		reports: []int64{12}, config: customerData, command: apply},
	{name: "list", own: acctest.ReadRoutes, before: neighbours, after: neighbours,
		reports: everybody, protocol: (*faultRun).query},
}

// The latches of operations.
var (
	neighbours  = acctest.LatchSet{{ID: 12, Contact: 112}, {ID: 13, Company: 213}, {ID: 14, Contact: 114, Company: 214}}
	withPrior   = neighbours.With(acctest.Customer{ID: subject, Contact: 111})
	withBoth    = neighbours.With(acctest.Customer{ID: subject, Contact: 111, Company: 211})
	withSubject = neighbours.With(acctest.Customer{ID: subject, Contact: 101, Company: 202})

	withoutOneNeighbour = withSubject.With(acctest.Customer{ID: 14})
)

// Configurations with one data source, and an output with the latches that it reports.
var (
	latchesData = acctest.Block(`data "fusebill_hubspot_latches" "test"`) +
		acctest.Block(`output "latches"`, "value = data.fusebill_hubspot_latches.test.latches")
	customerData = acctest.Block(`data "fusebill_customer" "test"`, "id = 12") +
		acctest.Block(`output "latches"`, "value = { (data.fusebill_customer.test.id) = data.fusebill_customer.test }")
)

var apply = []string{"apply", "-auto-approve"}

// operation is a column of the matrix.
type operation struct {
	name          string
	own           []fusebillsim.Route   // the routes that the operation is about
	before, after acctest.LatchSet      // the prior and the declared latches
	inSet         bool                  // the latches are one latch set
	takes         bool                  // the contact is taken from the giver
	drift         func(acctest.Account) // changes by others, after the fault has begun
	command       []string              // of the CLI
	config        string                // in place of the declared latches
	reports       []int64               // customers that an operation without state reports

	// protocol runs operations that not every CLI has.
	protocol func(*faultRun, *acctest.Protocol) (reported acctest.LatchSet, diags []*tfprotov6.Diagnostic)
}

// The customers of each account.
const (
	subject   = 11 // the customer of the operation
	bystander = 21 // a customer that nobody declares
	giver     = 31 // holds contact 101 at first; a list that is out of date still shows that
)

var everybody = []int64{subject, 12, 13, 14, bystander, giver}

// moment is when calls meet a fault.
type moment string

const (
	once    moment = "once"    // the first call of each route; for a final fault, of the operation's own routes
	lasting moment = "lasting" // all calls of the operation's own routes
	outage  moment = "outage"  // all calls
)

// moments returns the moments at which a fault makes a difference in an operation.
func moments(f fault, op operation) []moment {
	switch {
	// The order of concurrent reads decides which list or connection is the first.
	case f.ofConnections, f.lies && !f.harmless:
		return []moment{lasting}
	// If the fault meets a list, other reads replace it. If it meets the plan that Terraform makes
	// of an object that is not in the configuration, before it reads the object, Terraform ignores
	// the error.
	case f.isOrdered && op.name == "read":
		return []moment{lasting}
	case f.spares || f.routes != nil || slices.Equal(op.own, acctest.ReadRoutes):
		return []moment{once, lasting}
	default:
		return []moment{once, lasting, outage}
	}
}

// faultRun is one run of a cell.
type faultRun struct {
	t        *testing.T
	fault    fault
	op       operation
	moment   moment
	front    *front
	account  acctest.Account
	met      atomic.Int64 // calls that met the fault
	cli      *acctest.Workspace
	printed  strings.Builder
	reported acctest.LatchSet // by the last operation of the protocol
}

// untouched stands for a run in which no call met the fault.
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
					name := strings.Join([]string{strings.ReplaceAll(f.name, "/", ""), op.name, string(moment)}, "/")
					t.Run(name, func(t *testing.T) {
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
	results.compare(t, written) // A change is to be read, even though it is written by now.
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
	// Lists alone show who holds the contact that is to be taken.
	unfindable := r.op.takes && r.fault.routes != nil
	switch {
	case r.met.Load() == 0 && (!succeeded || seen != ""):
		r.t.Errorf("no call met the fault, but the user sees %q", seen)
	case r.met.Load() == 0:
		seen = untouched
	case !succeeded && !strings.Contains(seen, "Error: "):
		r.t.Error("the run failed without an error message")
	case seen != "" && r.fault.done && r.moment == lasting && slices.Equal(r.op.own, changes):
		r.t.Errorf("the change was made, but the user sees %q", seen)
	case seen != "" && (r.fault.harmless && !unfindable || r.moment == once && !r.fault.final && !r.fault.lies):
		r.t.Errorf("retries should have survived the fault, but the user sees %q", seen)
	case succeeded && seen == "" && r.fault.final && (r.fault.unseen == nil || !r.fault.unseen(r.op)):
		r.t.Error("the run succeeded without an error or a warning")
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
		customers = slices.DeleteFunc(customers, func(c acctest.Customer) bool { return c.ID == h.ID })
		customers = append(customers, h)
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

// callTimeout is longer than a call takes here, even on a busy machine: a retry that the fault did
// not cause would use up the only one.
const callTimeout = "2s"

// provider returns the provider block. One retry tests as much as four.
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

// state returns a state file with these latches.
func (r *faultRun) state(s acctest.LatchSet) string {
	host := "registry.terraform.io"
	if r.cli.CLI.IsOpenTofu() {
		host = "registry.opentofu.org"
	}
	var resources []string
	add := func(typeName, label, attributes string) {
		of := acctest.Foreign{Provider: host + "/fusebill/fusebill", TypeName: typeName, State: attributes}
		resources = append(resources, of.InState(label))
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

// operate runs the operation.
func (r *faultRun) operate() (succeeded bool, seen string) {
	if r.op.protocol == nil {
		return r.run(r.op.command...)
	}
	reported, diags := r.op.protocol(r, r.configured())
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
	r.reported = reported
	return succeeded, strings.Join(slices.Sorted(maps.Keys(texts)), "; ")
}

// configured returns a provider in this process with the settings of the one that the CLI runs.
func (r *faultRun) configured() *acctest.Protocol {
	r.t.Helper()
	p := acctest.NewProtocol(r.t, r.account.Simulator)
	shortWaits := fusebill.WithRetryWait(time.Millisecond, time.Millisecond)
	p.Server = provider.NewServerWith("test", []fusebill.Option{shortWaits}, nil)()
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
	resp, err := p.Server.ConfigureProvider(r.t.Context(), &tfprotov6.ConfigureProviderRequest{
		Config: p.Value(p.ProviderType, settings),
	})
	p.Succeeded(resp.Diagnostics, err)
	return p
}

// query lists the account's latches.
func (r *faultRun) query(p *acctest.Protocol) (reported acctest.LatchSet, diags []*tfprotov6.Diagnostic) {
	p.List(r.t.Context(), acctest.Listing{IncludeResource: true}, func(result tfprotov6.ListResourceResult) bool {
		diags = append(diags, result.Diagnostics...)
		if result.Resource != nil {
			reported = append(reported, latchIn(p, result.Resource))
		}
		return true
	})
	return reported, diags
}

// unlatch removes the subject's latch by the action.
func (r *faultRun) unlatch(p *acctest.Protocol) (reported acctest.LatchSet, diags []*tfprotov6.Diagnostic) {
	said, diags := p.Unlatch(acctest.Customer{ID: subject})
	fmt.Fprintln(&r.printed, said)
	return nil, diags
}

// latchIn returns a latch in the encoding of the protocol.
func latchIn(p *acctest.Protocol, encoded *tfprotov6.DynamicValue) acctest.Customer {
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

// announcements are warnings about what a plan does. They show with and without a fault.
var announcements = map[string]bool{
	"Warning: HubSpot latches will be removed": true,
	// A create that ended with errors is resumed by the next run.
	"Warning: HubSpot latch set is resumed": true,
	// Users install the provider in another way.
	"Warning: Provider development overrides are in effect": true,
}

// announcedTaking is the warning of a plan that takes a contact.
const announcedTaking = "Warning: HubSpot contact is latched to another customer"

// told matches the summary of an error or a warning of the CLI. It follows an empty line, since a
// line of the API's own words may begin with "Error: ", too.
var told = regexp.MustCompile(`(?m)^[│╷ ]*\n[│ ]*((?:Error|Warning): .*)$`)

// run runs a command of the CLI. It reports whether the command succeeded, and which errors and
// warnings it shows, each once.
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

// check fails the test unless state and account hold latches that are allowed after a run. After
// success, these are the declared ones, unless the operation believed a wrong list.
func (r *faultRun) check(succeeded bool) {
	r.t.Helper()
	if len(r.op.reports) > 0 {
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
				r.t.Errorf("success: %v, and %s has customer %d latched to %s, want %s (before: %s)",
					succeeded, where, customer, got.Latch(), after.Latch(), before.Latch())
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

// checkList fails the test unless a run that succeeded has reported all latches, and the account is
// unchanged.
func (r *faultRun) checkList(succeeded bool) {
	r.t.Helper()
	reported := r.reported
	if r.op.protocol == nil {
		reported = r.cli.Latches()
	}
	for _, customer := range r.op.reports {
		if got, want := latchOf(reported, customer), r.inAccount(customer); succeeded && got != want {
			r.t.Errorf("customer %d is reported to be latched to %s, and is latched to %s", customer, got.Latch(), want.Latch())
		}
	}
	r.account.Holds(r.t, r.op.after.With(acctest.Customer{ID: bystander, Contact: 121, Company: 221})...)
	if n := r.account.Writes(); n > 0 {
		r.t.Errorf("%d writes", n)
	}
}

// latchOf returns the latch of a customer in a set, without IDs where it has none.
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

// converge runs the operation again, without the fault. It fails the test unless state and account
// hold what is declared then.
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

// keepsSecrets fails the test if any output or file has the key or a part of it.
func (r *faultRun) keepsSecrets() {
	r.t.Helper()
	written := map[string]string{"what was printed": r.printed.String()}
	if r.cli != nil {
		maps.Copy(written, acctest.FilesBelow(r.t, r.cli.Dir))
	}
	acctest.KeepsKey(r.t, written)
}
