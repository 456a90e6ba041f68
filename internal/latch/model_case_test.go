package latch_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

func contact(id int64) fusebill.Latch { return fusebill.Latch{HubSpotID: id} }

func both(contact, company int64) fusebill.Latch {
	return fusebill.Latch{HubSpotID: contact, HubSpotCompanyID: company}
}

// single returns a single latch that the state and the configuration have as rows.
func single(name string, prior, declared rows, change ...func(*resource)) *resource {
	r := &resource{name: name, prior: prior, declared: declared}
	for _, c := range change {
		c(r)
	}
	return r
}

// set returns a latch set, as single does.
func set(name string, prior, declared rows, change ...func(*resource)) *resource {
	r := single(name, prior, declared, change...)
	r.set = true
	return r
}

func reassociate(r *resource) { r.reassociate = true }
func createFirst(r *resource) { r.createFirst = true }
func tainted(r *resource)     { r.tainted = true }
func strict(r *resource)      { r.strict = true }
func slow(d time.Duration) func(*resource) {
	return func(r *resource) { r.slow = d }
}
func explicit(d time.Duration) func(*resource) {
	return func(r *resource) { r.stall = d }
}
func dependsOn(name string) func(*resource) {
	return func(r *resource) { r.dependsOn = name }
}

// modelCase is a scenario with a name. All invariants hold after it too.
type modelCase struct {
	name      string
	resources []*resource
	others    rows                          // customers of the account that no state has
	change    func(*scenario)               // its service and its run; nil: nothing special
	onChange  func(*service, accountChange) // is called once the provider has changed something
	want      rows                          // the account afterwards, less customers without a latch; nil: any
	failed    []string                      // resources with an error
	check     func(t *testing.T, r *run)    // checks more; nil: nothing
}

// swap lists two single latches that exchange their contacts.
func swap() []*resource {
	return []*resource{
		single("a", rows{1: contact(101)}, rows{1: contact(102)}),
		single("b", rows{2: contact(102)}, rows{2: contact(101)}),
	}
}

// chain lists 30 single latches, each of which takes the contact of the next one. The last one
// takes a new contact, or that of the first one.
func chain(isRing bool) []*resource {
	var all []*resource
	for i := range int64(30) {
		next := 102 + i
		if isRing {
			next = 101 + (i+1)%30
		}
		all = append(all, single(fmt.Sprint("r", i), rows{1 + i: contact(101 + i)}, rows{1 + i: contact(next)}))
	}
	return all
}

// declared returns what resources declare; prior what their states have.
func declared(resources []*resource) rows {
	all := rows{}
	for _, r := range resources {
		maps.Copy(all, r.declared)
	}
	return all
}

func prior(resources []*resource) rows {
	all := rows{}
	for _, r := range resources {
		maps.Copy(all, r.prior)
	}
	return all
}

func parallelism(n int) func(*scenario) {
	return func(s *scenario) { s.parallelism = n }
}

func writes(n int) func(*testing.T, *run) {
	return func(t *testing.T, r *run) {
		t.Helper()
		got := 0
		for _, req := range r.service.requests {
			if req.write {
				got++
			}
		}
		if got > n {
			t.Errorf("%d writes, want %d at most", got, n)
		}
	}
}

func accountReads(n int) func(*testing.T, *run) {
	return func(t *testing.T, r *run) {
		t.Helper()
		got := 0
		for _, req := range r.service.requests {
			if !req.write && req.ids == nil {
				got++
			}
		}
		if got > n {
			t.Errorf("the account was read %d times, want %d at most", got, n)
		}
	}
}

// othersWrite lets others write once, when the provider has changed a customer.
func othersWrite(customer int64, w write) func(*service, accountChange) {
	return func(s *service, c accountChange) {
		if c.customer == customer {
			s.onChange = nil
			s.writeOutsideLocked(w)
		}
	}
}

func (c modelCase) run(t *testing.T) {
	s := &scenario{
		seed: 1, account: prior(c.resources), resources: c.resources,
		latency: 20 * time.Millisecond, parallelism: len(c.resources) + 2,
	}
	maps.Copy(s.account, c.others)
	for _, id := range ids(declared(c.resources)) {
		if _, exists := s.account[id]; !exists {
			s.account[id] = fusebill.Latch{}
		}
	}
	if c.change != nil {
		c.change(s)
	}
	r := newRun(t, s)
	r.service.onChange = c.onChange
	r.apply()
	for _, v := range r.violations() {
		t.Errorf("%s: %s", v.invariant, v.text)
	}
	got := r.service.current()
	maps.DeleteFunc(got, func(_ int64, l fusebill.Latch) bool { return l.IsZero() })
	if c.want != nil && !maps.Equal(got, c.want) {
		t.Errorf("the account is %s, want %s", got, c.want)
	}
	var failed []string
	for _, o := range r.operations {
		if o.hasFailed() && !slices.Contains(failed, o.resource.name) {
			failed = append(failed, o.resource.name)
		}
	}
	if slices.Sort(failed); c.want != nil && !slices.Equal(failed, slices.Sorted(slices.Values(c.failed))) {
		t.Errorf("%v failed, want %v", failed, c.failed)
	}
	if c.check != nil {
		c.check(t, r)
	}
	if t.Failed() {
		t.Logf("%s\n%s", s, r.service.events())
	}
}

// inject lets latch calls of a customer meet a fault.
func (s *scenario) inject(customer int64, f fusebillsim.Fault) {
	s.injectWhere(f, func(req *request) bool { return req.write && req.ids[0] == customer })
}

// injectReads lets reads of a customer alone meet a fault.
func (s *scenario) injectReads(customer int64, f fusebillsim.Fault) {
	s.injectWhere(f, func(req *request) bool { return !req.write && slices.Equal(req.ids, []int64{customer}) })
}

func (s *scenario) injectWhere(f fusebillsim.Fault, matches func(*request) bool) {
	f.Match = func(r *http.Request) bool {
		var body []byte
		if r.Body != nil {
			body, _ = io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		req, err := parse(r.Method, r.URL, body)
		return err == nil && matches(req)
	}
	s.injected = append(s.injected, f)
}

// readEarlierAndOutside lets others latch customer 1 while what the provider has read grows old.
func readEarlierAndOutside(s *scenario) {
	s.readEarlier = 100 * time.Second
	s.outside = []write{{at: 50 * time.Second, customer: 1, latch: contact(555)}}
}

// noneIsOpen checks that each customer of the account has a latch.
func noneIsOpen(t *testing.T, r *run) {
	t.Helper()
	for id, l := range r.service.current() {
		if l.IsZero() {
			t.Errorf("customer %d is unlatched", id)
		}
	}
}

func names(resources []*resource) []string {
	var all []string
	for _, r := range resources {
		all = append(all, r.name)
	}
	return all
}
