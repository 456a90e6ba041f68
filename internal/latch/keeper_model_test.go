package latch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The model: random accounts, configurations, orders, faults and cancels, applied as Terraform would apply them, and then
// once more without faults. To see one scenario again, or to look for more:
//
//	TEST_SEED=123 TEST_RUNS=1 go test -run TestModel ./internal/latch
func TestModel(t *testing.T) {
	t.Parallel()
	first, runs := envOr("TEST_SEED", rand.Uint64N(1<<40)), envOr("TEST_RUNS", 1000)
	for seed := first; seed < first+runs; seed++ {
		s := newScenario(seed)
		violations := s.check(t)
		if len(violations) == 0 {
			continue
		}
		s, violations = shrink(t, s, violations)
		t.Fatalf("TEST_SEED=%d:\n%s\n%s", seed, strings.Join(violations, "\n"), s)
	}
	t.Logf("%d applies, from TEST_SEED=%d on", 2*runs, first)
}

func envOr(name string, fallback uint64) uint64 {
	if n, err := strconv.ParseUint(os.Getenv(name), 10, 64); err == nil {
		return n
	}
	return fallback
}

// instance is one instance of the resource, in a configuration or in a state.
type instance struct {
	customer    int64
	latch       fusebill.Latch
	reassociate bool
	createFirst bool // create_before_destroy
}

// instances are a configuration or a state, by address.
type instances map[string]instance

// scenario is everything that an apply depends on, so that it can be shown and made smaller.
type scenario struct {
	seed         uint64
	account      latches
	state        instances
	declared     instances
	order        []string // of addresses
	parallelism  int
	gap          time.Duration
	conflict     fusebillsim.ConflictMode
	unreadable   bool
	faults       float64
	cancelAfter  time.Duration // 0: never
	timeoutOfOne time.Duration // of the first operation; 0: none
}

// newScenario makes a scenario up.
func newScenario(seed uint64) scenario {
	dice := rand.New(rand.NewPCG(seed, 1))
	g := generator{dice: dice, n: 3 + dice.Int64N(10)}
	s := scenario{
		seed: seed, account: g.account(), state: make(instances), declared: make(instances),
		parallelism: 1 + dice.IntN(12), gap: g.oneOf(0, time.Millisecond, 30*time.Millisecond, 300*time.Millisecond),
		conflict: fusebillsim.ConflictMode(dice.IntN(3)), unreadable: dice.IntN(4) == 0,
		faults: float64(g.oneOf(0, 0, 2, 5)) / 100,
	}
	if dice.IntN(5) == 0 {
		s.cancelAfter = time.Duration(1 + dice.Int64N(int64(600*time.Millisecond)))
	}
	if dice.IntN(10) == 0 {
		s.timeoutOfOne = time.Duration(1 + dice.Int64N(int64(600*time.Millisecond)))
	}
	g.configure(&s)
	s.order = slices.Sorted(maps.Keys(s.addresses()))
	dice.Shuffle(len(s.order), func(i, j int) { s.order[i], s.order[j] = s.order[j], s.order[i] })
	return s
}

// generator makes accounts and configurations up.
type generator struct {
	dice *rand.Rand
	n    int64 // customers
	last int64 // of the new IDs
}

// fresh returns an ID that nobody holds or declares.
func (g *generator) fresh() int64 {
	g.last++
	return 300 + g.last
}

func (g *generator) oneOf(values ...time.Duration) time.Duration {
	return values[g.dice.IntN(len(values))]
}

func (g *generator) account() latches {
	account := make(latches)
	for id := int64(1); id <= g.n; id++ {
		l := pair(100+id, 200+id)
		if g.dice.IntN(4) == 0 {
			l.HubSpotID = 0
		}
		if g.dice.IntN(3) == 0 {
			l.HubSpotCompanyID = 0
		}
		account[id] = l
	}
	return account
}

// configure chooses what is managed, and then changes what is declared step by step, so that it is possible.
func (g *generator) configure(s *scenario) {
	reassociate := g.dice.IntN(3)
	for _, id := range ids(g.n) {
		i := instance{customer: id, latch: s.account[id], reassociate: reassociate == 0 || reassociate == 1 && g.dice.IntN(2) == 0}
		i.createFirst = g.dice.IntN(2) == 0
		switch address := fmt.Sprint("old", id); {
		case i.latch.IsZero():
			if g.dice.IntN(2) == 0 {
				i.latch = pair(g.fresh(), 0)
				s.declared[address] = i
			}
		case g.dice.IntN(5) > 0:
			s.state[address], s.declared[address] = i, i
		case g.dice.IntN(4) == 0:
			s.declared[address] = i // adopted as it is
		}
	}
	for range 1 + g.dice.IntN(8) {
		g.change(s)
	}
}

// change changes something in what is declared.
func (g *generator) change(s *scenario) {
	addresses := slices.Sorted(maps.Keys(s.declared))
	if len(addresses) == 0 {
		return
	}
	g.dice.Shuffle(len(addresses), func(i, j int) { addresses[i], addresses[j] = addresses[j], addresses[i] })
	at := addresses[0]
	i := s.declared[at]
	switch _, managed := s.state[at]; g.dice.IntN(9) {
	case 0, 1, 2: // A ring, which is a swap for two.
		g.rotate(s, addresses[:1+g.dice.IntN(len(addresses))], g.dice.IntN(2) == 0)
	case 3: // Something new, and what was held is free for others.
		i.latch = g.with(i.latch, g.dice.IntN(2) == 0, g.fresh())
		s.declared[at] = i
	case 4: // Let go of one.
		if i.latch.HubSpotID != 0 && i.latch.HubSpotCompanyID != 0 {
			i.latch = g.with(i.latch, g.dice.IntN(2) == 0, 0)
			s.declared[at] = i
		}
	case 5: // A resource goes.
		delete(s.declared, at)
	case 6: // A rename without a moved block.
		if managed {
			delete(s.declared, at)
			s.declared["renamed-"+at] = i
		}
	case 7: // What nobody declares is claimed: a chain where its holder gives it up, a conflict where it isn't managed.
		contact := g.dice.IntN(2) == 0
		if id := 200 + 1 + g.dice.Int64N(g.n); !contact && !s.declares(pair(0, id)) {
			i.latch.HubSpotCompanyID = id
		} else if id := 100 + 1 + g.dice.Int64N(g.n); contact && !s.declares(pair(id, 0)) {
			i.latch.HubSpotID = id
		}
		s.declared[at] = i
	case 8: // Another customer: a replacement.
		if id := 1 + g.dice.Int64N(g.n); managed && s.account[id].IsZero() && !s.isDeclared(id) {
			i.customer = id
			s.declared[at] = i
		}
	}
}

func (g *generator) with(l fusebill.Latch, contact bool, id int64) fusebill.Latch {
	if contact {
		l.HubSpotID = id
	} else {
		l.HubSpotCompanyID = id
	}
	return l
}

// rotate gives each instance what the next one has.
func (g *generator) rotate(s *scenario, addresses []string, contact bool) {
	var have []int64
	for _, at := range addresses {
		l := s.declared[at].latch
		if contact {
			have = append(have, l.HubSpotID)
		} else {
			have = append(have, l.HubSpotCompanyID)
		}
	}
	for n, at := range addresses {
		i := s.declared[at]
		l := g.with(i.latch, contact, have[(n+1)%len(have)])
		if l.IsZero() {
			l = g.with(l, !contact, g.fresh())
		}
		i.latch = l
		s.declared[at] = i
	}
}

func (s *scenario) declares(l fusebill.Latch) bool {
	for _, i := range s.declared {
		if l.Without(i.latch) != l {
			return true
		}
	}
	return false
}

func (s *scenario) isDeclared(customer int64) bool {
	for _, i := range s.declared {
		if i.customer == customer {
			return true
		}
	}
	return false
}

func (s *scenario) addresses() map[string]bool {
	all := make(map[string]bool)
	for address := range s.state {
		all[address] = true
	}
	for address := range s.declared {
		all[address] = true
	}
	return all
}

// String shows a scenario in the order of its operations.
func (s scenario) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "conflict mode %d, unreadable %v, faults %g, parallelism %d, gap %s, cancel after %s, timeout of the first %s\n",
		s.conflict, s.unreadable, s.faults, s.parallelism, s.gap, s.cancelAfter, s.timeoutOfOne)
	for _, at := range s.order {
		state, inState := s.state[at]
		declared, isDeclared := s.declared[at]
		fmt.Fprintf(&text, "  %s: ", at)
		if inState {
			fmt.Fprintf(&text, "state %d (%s)", state.customer, state.latch)
		}
		if isDeclared {
			fmt.Fprintf(&text, " -> declared %d (%s), reassociate %v, create first %v", declared.customer, declared.latch,
				declared.reassociate, declared.createFirst)
		}
		fmt.Fprintln(&text)
	}
	for _, id := range sorted(s.account) {
		fmt.Fprintf(&text, "  customer %d holds %s\n", id, s.account[id])
	}
	return text.String()
}

// shrink makes a scenario smaller as long as it violates something.
func shrink(t *testing.T, s scenario, violations []string) (scenario, []string) {
	t.Helper()
	for smaller := true; smaller; {
		smaller = false
		for _, candidate := range s.reductions() {
			if found := candidate.check(t); len(found) > 0 {
				s, violations, smaller = candidate, found, true
				break
			}
		}
	}
	return s, violations
}

// reductions are scenarios with one thing less.
func (s scenario) reductions() []scenario {
	var all []scenario
	add := func(reduce func(*scenario)) {
		c := s
		c.state, c.declared, c.account = maps.Clone(s.state), maps.Clone(s.declared), maps.Clone(s.account)
		reduce(&c)
		if c.String() != s.String() {
			all = append(all, c)
		}
	}
	for _, at := range s.order {
		add(func(c *scenario) { c.drop(at) })
	}
	for id := range s.account {
		add(func(c *scenario) {
			if !c.concerns(id) {
				delete(c.account, id)
			}
		})
	}
	add(func(c *scenario) { c.faults = 0 })
	add(func(c *scenario) { c.cancelAfter = 0 })
	add(func(c *scenario) { c.timeoutOfOne = 0 })
	add(func(c *scenario) { c.unreadable = false })
	add(func(c *scenario) { c.conflict = 0 })
	add(func(c *scenario) { c.parallelism = 12 })
	return all
}

// concerns says whether a customer is in the state or the configuration.
func (s *scenario) concerns(id int64) bool {
	return slices.ContainsFunc(s.order, func(at string) bool { return s.state[at].customer == id || s.declared[at].customer == id })
}

func (s *scenario) drop(address string) {
	delete(s.state, address)
	delete(s.declared, address)
	s.order = slices.DeleteFunc(slices.Clone(s.order), func(at string) bool { return at == address })
}

// check applies a scenario twice and returns what went wrong.
func (s scenario) check(t *testing.T) (violations []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := newModel(t, s)
		hung := time.AfterFunc(12*time.Hour, func() { panic(fmt.Sprintf("an operation never ends: seed %d\n%s", s.seed, s)) })
		m.firstApply()
		m.secondApply()
		hung.Stop()
		violations = m.violations
	})
	return violations
}

// model is a scenario that is being applied.
type model struct {
	scenario
	t      *testing.T
	sim    *fusebillsim.Simulator
	keeper *Keeper

	mu         sync.Mutex
	violations []string
	after      instances        // the state as it is written
	failed     map[int64]error  // by customer, all errors that have to do with it
	deleted    map[int64]bool   // customers for which a delete was begun
	errs       map[string]error // by address
}

func newModel(t *testing.T, s scenario) *model {
	t.Helper()
	sim := fusebillsim.New(fusebillsim.Config{
		APIKey: "key", LimitMinute: 1 << 30, LimitDay: 1 << 30, DiscardRequests: true,
		Behavior: fusebillsim.Behavior{Latency: callTime, Conflict: s.conflict, GzipMinSize: -1},
	})
	for id, l := range s.account {
		sim.AddCustomers(fusebillsim.Customer{ID: id, HubSpotID: l.HubSpotID, HubSpotCompanyID: l.HubSpotCompanyID})
	}
	m := &model{scenario: s, t: t, sim: sim, after: maps.Clone(s.state)}
	m.newProcess()
	return m
}

// newProcess begins a new run of the provider.
func (m *model) newProcess() {
	var options []Option
	if m.unreadable {
		options = append(options, unreadable)
	}
	m.keeper = NewKeeper(newTestClient(m.t, m.sim), options...)
	m.failed, m.deleted, m.errs = make(map[int64]error), make(map[int64]bool), make(map[string]error)
}

func (m *model) violated(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.violations = append(m.violations, fmt.Sprintf(format, args...))
}

func (m *model) latchOf(id int64) fusebill.Latch {
	customer, _ := m.sim.Customer(id)
	return pair(customer.HubSpotID, customer.HubSpotCompanyID)
}

// apply applies what is declared to a state, as Terraform does.
func (m *model) apply(ctx context.Context, state instances, parallelism int, gap, timeoutOfOne time.Duration) {
	slots := make(chan struct{}, parallelism)
	var running sync.WaitGroup
	for n, at := range m.order {
		slots <- struct{}{}
		if ctx.Err() != nil {
			break // Terraform begins nothing more.
		}
		running.Go(func() {
			defer func() { <-slots }()
			ctx, cancel := context.WithTimeout(ctx, 20*time.Minute)
			if n == 0 && timeoutOfOne > 0 {
				ctx, cancel = context.WithTimeout(ctx, timeoutOfOne)
			}
			defer cancel()
			m.applyOne(ctx, at, state)
		})
		time.Sleep(gap)
	}
	running.Wait()
}

// applyOne makes the operation, or the two of a replacement, of one instance.
func (m *model) applyOne(ctx context.Context, at string, state instances) {
	prior, inState := state[at]
	declared, isDeclared := m.declared[at]
	replaced := inState && isDeclared && prior.customer != declared.customer
	switch {
	case inState && isDeclared && !replaced:
		if prior.latch != declared.latch {
			m.update(ctx, at, prior, declared)
		}
	case replaced && declared.createFirst:
		if m.create(ctx, at, declared) {
			m.delete(ctx, at, prior)
		}
	case replaced:
		if m.delete(ctx, at, prior) {
			m.create(ctx, at, declared)
		}
	case inState:
		m.delete(ctx, at, prior)
	default:
		m.create(ctx, at, declared)
	}
}

func (m *model) create(ctx context.Context, at string, declared instance) bool {
	return m.changed(at, declared, m.keeper.Create(ctx, declared.customer, declared.latch, declared.reassociate))
}

func (m *model) update(ctx context.Context, at string, prior, declared instance) bool {
	return m.changed(at, declared, m.keeper.Update(ctx, declared.customer, prior.latch, declared.latch, declared.reassociate))
}

// changed takes in how a create or an update ended.
func (m *model) changed(at string, declared instance, err error) bool {
	if got := m.latchOf(declared.customer); err == nil && got != declared.latch {
		m.violated("%s has no error, and customer %d is latched to %s", at, declared.customer, got)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.fail(at, declared.customer, err)
		return false
	}
	m.after[at] = declared
	return true
}

func (m *model) delete(ctx context.Context, at string, prior instance) bool {
	m.mu.Lock()
	m.deleted[prior.customer] = true
	m.mu.Unlock()
	_, err := m.keeper.Delete(ctx, prior.customer, prior.latch)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.fail(at, prior.customer, err)
		return false
	}
	if m.after[at].customer == prior.customer {
		delete(m.after, at)
	}
	return true
}

// fail notes an error for its customer, and for one whose latch it says was lost. m.mu is held.
func (m *model) fail(at string, customer int64, err error) {
	m.errs[at] = err
	m.failed[customer] = errors.Join(m.failed[customer], err)
	for _, lost := range allNotPutBack(err) {
		if lost.CustomerID != customer {
			m.failed[lost.CustomerID] = errors.Join(m.failed[lost.CustomerID], lost)
		}
	}
}

// allNotPutBack finds every such error, since one may be the cause of another.
func allNotPutBack(err error) []*NotPutBackError {
	var lost *NotPutBackError
	if !errors.As(err, &lost) {
		return nil
	}
	return append([]*NotPutBackError{lost}, allNotPutBack(lost.Cause)...)
}

// firstApply applies with faults and cancels, and checks that nothing is lost.
func (m *model) firstApply() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if m.cancelAfter > 0 {
		time.AfterFunc(m.cancelAfter, cancel)
	}
	remove := func() {}
	if m.faults > 0 {
		remove = m.sim.InjectChaos(fusebillsim.Chaos{Probability: m.faults, Seed: m.seed, Kinds: m.faultKinds(), Latency: 70 * time.Second})
	}
	m.apply(ctx, m.state, m.parallelism, m.gap, m.timeoutOfOne)
	remove()
	m.checkUnique()
	for _, id := range sorted(m.account) {
		m.checkNothingLost(id)
	}
}

func (m *model) faultKinds() []fusebillsim.FaultKind {
	kinds := []fusebillsim.FaultKind{
		fusebillsim.FaultStatus500Before, fusebillsim.FaultStatus500After, fusebillsim.FaultDropBefore, fusebillsim.FaultDropAfter,
		fusebillsim.FaultLatencyBefore, fusebillsim.FaultLatencyAfter, fusebillsim.FaultTruncatedBody, fusebillsim.FaultTruncatedJSON,
		fusebillsim.FaultNotJSON, fusebillsim.FaultHTML502, fusebillsim.FaultDifferentAnswer, fusebillsim.FaultRateLimitMinute,
	}
	if m.conflict != fusebillsim.ConflictMoves { // Else whom no list shows is taken from without a word.
		kinds = append(kinds, fusebillsim.FaultStaleList, fusebillsim.FaultMissingRows)
	}
	return kinds
}

func (m *model) checkUnique() {
	holders := make(map[fusebill.Claim]int64)
	for _, id := range sorted(m.account) {
		for _, claim := range m.latchOf(id).Claims() {
			if other, held := holders[claim]; held {
				m.violated("%s is latched to customers %d and %d", claim, other, id)
			}
			holders[claim] = id
		}
	}
}

// checkNothingLost checks what a customer has lost, or got, against what was declared and what the errors say.
func (m *model) checkNothingLost(id int64) {
	prior, got, declared, isDeclared := m.account[id], m.latchOf(id), fusebill.Latch{}, false
	for _, i := range m.declared {
		if i.customer == id {
			declared, isDeclared = i.latch, true
		}
	}
	if foreign := got.Without(prior).Without(declared); !foreign.IsZero() {
		m.violated("customer %d has got %s", id, foreign)
	}
	told := tellsOfLoss(m.failed[id])
	for _, claim := range prior.Without(got).Claims() {
		givenUp := isDeclared && !declared.Holds(claim) || !isDeclared && m.deleted[id] || m.deletedBeforeCreate(id)
		if !givenUp && !m.mayBeTaken(claim) && !told {
			m.violated("customer %d has lost %s, with error %v", id, claim, m.failed[id])
		}
		if failed := m.failed[id]; failed != nil && !m.deleted[id] && !told && !m.mayBeTaken(claim) {
			m.violated("customer %d has lost %s though its change has failed: %v", id, claim, failed)
		}
	}
}

// deletedBeforeCreate says whether a rename may have deleted a latch before its create failed: that order loses it until
// the next apply, and nothing can be known of the create before it comes.
func (m *model) deletedBeforeCreate(id int64) bool {
	if !m.deleted[id] {
		return false
	}
	for at, i := range m.declared {
		if i.customer == id {
			_, done := m.after[at]
			return !done
		}
	}
	return true
}

// tellsOfLoss says whether an error says that a customer may not hold what it did.
func tellsOfLoss(err error) bool {
	var (
		lost       *NotPutBackError
		unknown    *fusebill.OutcomeUnknownError
		unexpected *UnexpectedAnswerError
	)
	return errors.As(err, &lost) || errors.As(err, &unknown) || errors.As(err, &unexpected)
}

// mayBeTaken says whether a claim is declared for a customer that may take it without a word of its holder's resource.
func (m *model) mayBeTaken(claim fusebill.Claim) bool {
	for _, i := range m.declared {
		if i.latch.Holds(claim) && (i.reassociate || m.conflict == fusebillsim.ConflictMoves && m.unreadable) {
			return true
		}
	}
	return false
}

// secondApply refreshes, plans and applies without faults: now everything is as declared, or an error says why not.
func (m *model) secondApply() {
	m.newProcess()
	ctx := context.Background()
	state := make(instances)
	for at, i := range m.after {
		l, err := m.keeper.Read(ctx, i.customer)
		if err != nil {
			m.violated("%s can't be read: %v", at, err)
		}
		if i.latch = l; !l.IsZero() {
			state[at] = i
		}
	}
	blocked := m.blocked(state)
	account := make(latches)
	for id := range m.account {
		account[id] = m.latchOf(id)
	}
	m.newProcess()
	m.apply(ctx, state, len(m.order)+1, time.Millisecond, 0)
	for _, at := range slices.Sorted(maps.Keys(m.declared)) {
		err := m.errs[at]
		switch {
		case err != nil && !blocked[at]:
			m.violated("%s isn't done by the second apply: %v (state %v, account %v)", at, err, state, account)
		case err == nil && m.latchOf(m.declared[at].customer) != m.declared[at].latch && !m.isRenamedByHalf(state, at):
			m.violated("%s isn't as declared after the second apply", at)
		}
	}
}

// isRenamedByHalf says whether a rename was interrupted between its create and its delete. Both addresses are in the state
// then, and the delete is all that comes of the next plan: nobody tells it of the other one.
func (m *model) isRenamedByHalf(state instances, at string) bool {
	for other, i := range state {
		if _, isDeclared := m.declared[other]; !isDeclared && i.customer == m.declared[at].customer && state[at].customer == i.customer {
			return true
		}
	}
	return false
}

// blocked are the instances whose claims can't be met: by what the account and the state show, and because what they wait
// for can't be.
func (m *model) blocked(state instances) map[string]bool {
	managedBy, letsGoLate := make(map[int64]string), make(map[int64]bool)
	for at, i := range state {
		managedBy[i.customer] = at
		// Its delete comes after its create, which may wait for whoever waits for the delete.
		declared, isDeclared := m.declared[at]
		letsGoLate[i.customer] = isDeclared && declared.customer != i.customer && declared.createFirst
	}
	for at, i := range m.declared {
		managedBy[i.customer] = at
	}
	holder := make(map[fusebill.Claim]int64)
	for id := range m.account {
		for _, claim := range m.latchOf(id).Claims() {
			holder[claim] = id
		}
	}
	blocked := make(map[string]bool)
	for range len(m.declared) + 1 {
		for at, i := range m.declared {
			prior, isUpdate := state[at]
			if isUpdate && prior.customer != i.customer {
				isUpdate = false
			}
			if current := m.latchOf(i.customer); !i.reassociate && !isUpdate && !current.Without(i.latch).IsZero() {
				blocked[at] = true // AlreadyLatchedError
			}
			for _, claim := range i.latch.Claims() {
				other := holder[claim]
				otherAt, managed := managedBy[other]
				switch {
				case other == 0 || other == i.customer || managed && !blocked[otherAt] && !letsGoLate[other]:
				case !i.reassociate, m.unreadable:
					blocked[at] = true
				}
			}
		}
	}
	return blocked
}
