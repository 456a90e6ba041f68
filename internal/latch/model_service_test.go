package latch_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// service carries requests to the simulator and records what happens to the account. A request
// takes effect at one moment, with time before and after it.
type service struct {
	scenario *scenario
	sim      *fusebillsim.Simulator
	began    time.Time

	mu          sync.Mutex
	dice        *rand.Rand
	interrupted bool
	latches     rows // as recorded last
	requests    []*request
	changes     []accountChange
	log         []string
	onChange    func(*service, accountChange) // called once the provider has changed something; nil: nothing
}

// request is a request of the provider.
type request struct {
	sent    time.Duration
	first   time.Duration // when the same write was first sent: this may be a retry
	handled time.Duration // 0: not yet
	ended   time.Duration // for the provider, with an answer or without; 0: not yet
	status  int           // 0: no answer
	write   bool
	late    bool            // it took effect after it was cancelled
	ids     []int64         // the customers that it reads or writes; none: all
	latch   fusebill.Latch  // that a write asks for
	answer  *fusebill.Latch // that the answer to a write shows; nil: it shows none
}

// accountChange is a change of one customer's latch.
type accountChange struct {
	at       time.Duration
	customer int64
	from, to fusebill.Latch
	by       *request // nil: others
}

func newService(s *scenario) *service {
	sv := &service{scenario: s, began: time.Now(), dice: rand.New(rand.NewPCG(s.seed, 2)), latches: rows{}}
	sv.sim = fusebillsim.New(fusebillsim.Config{
		APIKey: "key", LimitMinute: s.limit, LimitDay: 1 << 30, DiscardRequests: true,
		Behavior: fusebillsim.Behavior{Conflict: s.conflict, Merged: fusebillsim.MergedAnswersNewID, GzipMinSize: -1},
	})
	for claim, into := range s.merged {
		if claim.Kind == fusebill.Contact {
			sv.sim.MergeContacts(into, claim.ID)
		} else {
			sv.sim.MergeCompanies(into, claim.ID)
		}
	}
	for id, l := range s.account {
		sv.sim.AddCustomers(fusebillsim.Customer{ID: id, HubSpotID: l.HubSpotID, HubSpotCompanyID: l.HubSpotCompanyID})
		sv.latches[id] = l
	}
	if s.faults > 0 {
		sv.sim.InjectChaos(fusebillsim.Chaos{Probability: s.faults, Seed: s.seed, Kinds: faultKinds(s)})
	}
	for _, f := range s.injected {
		sv.sim.Inject(f)
	}
	for _, w := range s.outside {
		time.AfterFunc(w.at, func() { sv.writeOutside(w) })
	}
	return sv
}

func faultKinds(s *scenario) []fusebillsim.FaultKind {
	kinds := []fusebillsim.FaultKind{
		fusebillsim.FaultStatus500Before, fusebillsim.FaultStatus500After,
		fusebillsim.FaultDropBefore, fusebillsim.FaultDropAfter,
		fusebillsim.FaultTruncatedBody, fusebillsim.FaultTruncatedJSON, fusebillsim.FaultNotJSON,
		fusebillsim.FaultHTML502, fusebillsim.FaultDifferentAnswer, fusebillsim.FaultRateLimitMinute,
	}
	if s.conflict != fusebillsim.ConflictMoves { // There, nobody can know of a holder that lists do not show.
		kinds = append(kinds, fusebillsim.FaultStaleList, fusebillsim.FaultMissingRows)
	}
	return kinds
}

func (s *service) now() time.Duration { return time.Since(s.began) }

// interrupt is called when Terraform is interrupted.
func (s *service) interrupt() {
	s.note("Terraform is interrupted")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.interrupted = true
}

// current returns the latches of the account.
func (s *service) current() rows {
	all := rows{}
	for _, c := range s.sim.Customers() {
		all[c.ID] = fusebill.Latch{HubSpotID: c.HubSpotID, HubSpotCompanyID: c.HubSpotCompanyID}
	}
	return all
}

// RoundTrip makes a request.
func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	req, err := s.receive(r)
	if err != nil {
		return nil, err
	}
	before, after := s.travelTimes(req)
	type answer struct {
		resp *http.Response
		err  error
	}
	answered := make(chan answer, 1)
	ctx := r.Context()
	deliver := func(ctx context.Context) {
		if err := sleep(ctx, before); err != nil {
			answered <- answer{nil, err}
			return
		}
		resp, err := s.handle(r.WithContext(context.WithoutCancel(ctx)), req) //nolint:bodyclose // The client does.
		if ctxErr := sleep(ctx, after); ctxErr != nil {
			err = ctxErr
		}
		answered <- answer{resp, err}
	}
	if req.write && s.scenario.lateWrites {
		go deliver(context.WithoutCancel(ctx)) // Cancelled or not, it arrives.
	} else {
		deliver(ctx)
	}
	select {
	case a := <-answered:
		s.end(req, a.resp, a.err)
		if a.err != nil {
			return nil, a.err
		}
		return a.resp, nil
	case <-ctx.Done():
		s.end(req, nil, context.Cause(ctx))
		return nil, context.Cause(ctx)
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// travelTimes returns how long a request takes to arrive, and its answer to come back.
func (s *service) travelTimes(req *request) (before, after time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	part := func() time.Duration {
		return 1 + s.scenario.latency/4 + time.Duration(s.dice.Int64N(int64(s.scenario.latency/2)))
	}
	before, after = part(), part()
	switch {
	case req.write && s.scenario.lateWrites && s.dice.IntN(2) == 0:
		before = time.Duration(s.dice.Int64N(int64(2 * time.Second)))
	case s.interrupted && s.scenario.hangs && (!req.write || !s.scenario.lateWrites):
		before = 70 * time.Second
	case s.dice.Float64() >= s.scenario.faults/4:
	case s.dice.IntN(2) == 0:
		before = 70 * time.Second // Longer than the client waits for an answer.
	default:
		after = 70 * time.Second
	}
	return before, after
}

// receive records a request.
func (s *service) receive(r *http.Request) (*request, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body.Close()
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	req, err := parse(r.Method, r.URL, body)
	if err != nil {
		return nil, err
	}
	req.sent = s.now()
	s.note("%s", req)
	s.mu.Lock()
	defer s.mu.Unlock()
	req.first = req.sent
	if last := s.lastWrite(req.ids); req.write && last != nil && last.latch == req.latch && last.mayBeRetried() {
		req.first = last.first
	}
	s.requests = append(s.requests, req)
	return req, nil
}

// lastWrite returns the last write of a customer, or nil. The caller holds s.mu.
func (s *service) lastWrite(customers []int64) *request {
	for _, req := range slices.Backward(s.requests) {
		if req.write && slices.Equal(req.ids, customers) {
			return req
		}
	}
	return nil
}

func (req *request) mayBeRetried() bool {
	return req.status < 400 || req.status == http.StatusTooManyRequests || req.status >= 500
}

func (req *request) String() string {
	switch {
	case req.write:
		return fmt.Sprintf("-> latch %d to %s", req.ids[0], req.latch)
	case req.ids == nil:
		return "-> read all"
	default:
		return fmt.Sprintf("-> read %v", req.ids)
	}
}

// parse reads the customers and the latch of a request.
func parse(method string, target *url.URL, body []byte) (*request, error) {
	req := &request{write: method == http.MethodPost}
	path := target.Path[strings.LastIndex(target.Path, "/")+1:]
	switch {
	case path == "latchCustomer":
		var latch struct{ FusebillID, HubSpotID, HubSpotCompanyID int64 }
		if err := json.Unmarshal(body, &latch); err != nil {
			return nil, err
		}
		req.ids = []int64{latch.FusebillID}
		req.latch = fusebill.Latch{HubSpotID: latch.HubSpotID, HubSpotCompanyID: latch.HubSpotCompanyID}
		return req, nil
	case path != "customers":
		id, err := strconv.ParseInt(path, 10, 64)
		req.ids = []int64{id}
		return req, err
	}
	_, list, _ := strings.Cut(target.Query().Get("query"), "id:")
	for text := range strings.SplitSeq(list, ",") {
		if id, err := strconv.ParseInt(text, 10, 64); err == nil {
			req.ids = append(req.ids, id)
		}
	}
	return req, nil
}

// handle lets a request take effect, and records the effect.
func (s *service) handle(r *http.Request, req *request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	req.late, req.handled = req.ended > 0, s.now()
	if req.write && slices.Contains(s.scenario.refuses, req.ids[0]) {
		return refusal(r), nil
	}
	resp, err := s.sim.Transport().RoundTrip(r)
	s.recordChanges(req)
	return resp, err
}

// refusal is the service's answer to a write that another rule than those of latches forbids.
func refusal(r *http.Request) *http.Response {
	const body = `{"ErrorId":0,"HttpStatusCode":409,"Errors":[{"Key":"Api Error","Value":"The customer is cancelled."}]}`
	return &http.Response{
		StatusCode: http.StatusConflict, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}

func (s *service) writeOutside(w write) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writeOutsideLocked(w)
}

func (s *service) writeOutsideLocked(w write) {
	if _, exists := s.sim.Customer(w.customer); !exists {
		return
	}
	if w.deletes {
		s.sim.DeleteCustomer(w.customer)
	} else {
		s.sim.SetLatch(w.customer, w.latch.HubSpotID, w.latch.HubSpotCompanyID)
	}
	s.recordChanges(nil)
}

// recordChanges compares the account with what was recorded last. The caller holds s.mu.
func (s *service) recordChanges(by *request) {
	current := s.current()
	for _, id := range ids(s.latches) {
		if _, exists := current[id]; exists && s.latches[id] == current[id] {
			continue
		}
		s.changes = append(s.changes, accountChange{at: s.now(), customer: id, from: s.latches[id], to: current[id], by: by})
		who := "others"
		if by != nil {
			who = "the provider"
			if by.late {
				who = "a late write of the provider"
			}
		}
		s.noteLocked("   %d: %s => %s by %s", id, s.latches[id], current[id], who)
	}
	s.latches = current
	if s.onChange != nil && by != nil && len(s.changes) > 0 && s.changes[len(s.changes)-1].by == by {
		s.onChange(s, s.changes[len(s.changes)-1])
	}
}

// end records how a request ended for the provider.
func (s *service) end(req *request, resp *http.Response, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	req.ended = s.now()
	if resp != nil && err == nil {
		req.status = resp.StatusCode
		if req.write {
			req.answer = latchIn(resp)
		}
	}
	s.noteLocked("<- %s: %d %v", strings.TrimPrefix(req.String(), "-> "), req.status, err)
}

// latchIn returns the latch that an answer shows, or nil.
func latchIn(resp *http.Response) *fusebill.Latch {
	body, readErr := io.ReadAll(resp.Body)
	resp.Body.Close()
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failingReader{readErr}))
	var customer struct{ HubSpotID, HubSpotCompanyID int64 }
	if readErr != nil || resp.StatusCode != http.StatusOK || json.Unmarshal(body, &customer) != nil {
		return nil
	}
	return &fusebill.Latch{HubSpotID: customer.HubSpotID, HubSpotCompanyID: customer.HubSpotCompanyID}
}

// failingReader ends a body as another reader of it has ended.
type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) { return 0, cmp.Or(f.err, io.EOF) }

func (s *service) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noteLocked(format, args...)
}

func (s *service) noteLocked(format string, args ...any) {
	s.log = append(s.log, fmt.Sprintf("%10s ", s.now())+fmt.Sprintf(format, args...))
}

// events returns what happened, one event a line.
func (s *service) events() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.log, "\n") + "\n"
}
