package acceptance

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// snapshot is the state of everything before a command.
type snapshot struct {
	held  map[int64]acctest.Customer // in the account
	kept  map[int64]acctest.Customer // declared latches, and those that a destroy leaves alone
	state randomState
}

func (x *trial) snapshot(args []string) snapshot {
	s := snapshot{x.held(), x.config.declared(), x.state()}
	if args[0] == "destroy" {
		s.kept = map[int64]acctest.Customer{}
		target, isTargeted := strings.CutPrefix(args[len(args)-1], "-target=")
		for address, rows := range s.state.rows {
			if isTargeted && address != target && !x.config.movesFrom(address) {
				maps.Copy(s.kept, rows)
			}
		}
	}
	return s
}

// held returns all customers of the account.
func (x *trial) held() map[int64]acctest.Customer {
	all := map[int64]acctest.Customer{}
	for _, c := range x.account.Customers() {
		all[c.ID] = acctest.Customer{ID: c.ID, Contact: c.HubSpotID, Company: c.HubSpotCompanyID}
	}
	return all
}

// claimsOf returns the claims of a latch on HubSpot records.
func claimsOf(c acctest.Customer) []string {
	var claims []string
	if c.Contact != 0 {
		claims = append(claims, fmt.Sprintf("contact %d", c.Contact))
	}
	if c.Company != 0 {
		claims = append(claims, fmt.Sprintf("company %d", c.Company))
	}
	return claims
}

// shown returns latches in a line.
func shown(latches map[int64]acctest.Customer) string {
	var all []string
	for _, id := range slices.Sorted(maps.Keys(latches)) {
		if claims := claimsOf(latches[id]); len(claims) > 0 {
			all = append(all, fmt.Sprintf("%d: %s", id, strings.Join(claims, " and ")))
		}
	}
	return strings.Join(all, "; ")
}

// randomState is a state file.
type randomState struct {
	rows        map[string]map[int64]acctest.Customer // by address; of deposed objects, by address and key
	isExclusive bool                                  // A set that is not tainted is exclusive.
}

func (s randomState) String() string {
	var all []string
	for _, address := range slices.Sorted(maps.Keys(s.rows)) {
		all = append(all, fmt.Sprintf("%s {%s}", address, shown(s.rows[address])))
	}
	return strings.Join(all, " ")
}

// addresses returns the addresses of objects that are not deposed.
func (s randomState) addresses() []string {
	isDeposed := func(address string) bool { return strings.Contains(address, " ") }
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.rows)), isDeposed)
}

// of returns the latches of a customer in all objects.
func (s randomState) of(id int64) []acctest.Customer {
	var all []acctest.Customer
	for _, rows := range s.rows {
		if row, found := rows[id]; found {
			all = append(all, row)
		}
	}
	return all
}

// state reads the state file.
func (x *trial) state() randomState {
	x.t.Helper()
	s := randomState{rows: map[string]map[int64]acctest.Customer{}}
	for _, object := range x.cli.Objects() {
		rows := map[int64]acctest.Customer{}
		for _, latch := range object.Latches {
			rows[latch.ID] = latch
		}
		address := object.Address
		if object.Deposed != "" {
			address += " deposed " + object.Deposed
		}
		s.rows[address] = rows
		s.isExclusive = s.isExclusive || object.IsExclusive && object.Status == ""
	}
	return s
}

// finished is a command that has ended.
type finished struct {
	args   []string
	how    disturbance
	code   int
	output string
}

// has reports whether a command has one of some arguments.
func (f finished) has(args ...string) bool {
	return slices.ContainsFunc(f.args, func(arg string) bool {
		name, _, _ := strings.Cut(arg, "=")
		return slices.Contains(args, arg) || slices.Contains(args, name)
	})
}

func (f finished) changesLatches() bool {
	return f.args[0] == "destroy" || f.args[0] == "apply" && !f.has("-refresh-only")
}

// names reports whether a failed command has named a customer, or could not: its provider was
// killed.
func (f finished) names(id int64) bool {
	return f.how == killed || f.code != 0 && strings.Contains(f.output, strconv.FormatInt(id, 10))
}

// check fails the test for each promise that a command broke.
func (x *trial) check(before snapshot, f finished) {
	x.t.Helper()
	for _, words := range []string{"Provider produced", "panic", "error in the provider", "provider developers"} {
		if strings.Contains(f.output, words) {
			x.t.Errorf("%v prints %q", f.args, words)
		}
	}
	after := x.held()
	for id, held := range before.held {
		for _, claim := range claimsOf(held) {
			if !slices.Contains(claimsOf(after[id]), claim) && !x.mayLose(before, f, id, claim) {
				x.t.Errorf("%v: customer %d lost %s", f.args, id, claim)
			}
		}
		isUnlatched := len(claimsOf(held)) > 0 && len(claimsOf(after[id])) == 0 && len(claimsOf(before.kept[id])) > 0
		if isUnlatched && !f.names(id) && !slices.ContainsFunc(claimsOf(held), x.config.mayTake) {
			x.t.Errorf("%v: customer %d is left unlatched", f.args, id)
		}
		for _, claim := range claimsOf(after[id]) {
			if !slices.Contains(claimsOf(held), claim) && !slices.Contains(claimsOf(before.kept[id]), claim) {
				x.t.Errorf("%v: customer %d gained %s", f.args, id, claim)
			}
		}
	}
	isWhole := f.args[0] == "apply" && !f.has("-target", "-refresh-only", "-refresh", "tfplan")
	if f.code == 0 && isWhole {
		x.checkIsAsDeclared(f)
	}
	if f.code != 0 && f.has("-detailed-exitcode") {
		x.t.Errorf("the plan after an apply ends with %d", f.code)
	}
}

// mayLose reports whether a command may take a claim from the customer that held it.
func (x *trial) mayLose(before snapshot, f finished, id int64, claim string) bool {
	owner := x.config.owner(id)
	switch {
	case !f.changesLatches():
		return false
	case f.has("-target") && len(before.state.of(id)) > 1:
		return true // The provider does not learn of the other object, which is not planned.
	case slices.Contains(claimsOf(before.kept[id]), claim):
		return f.names(id)
	case len(before.state.of(id)) > 0:
		return true
	case before.state.isExclusive && x.config.isExclusive():
		return true // The plan has shown it in unlisted.
	default:
		return owner != nil && owner.reassociate || x.config.mayTake(claim)
	}
}

// checkIsAsDeclared fails the test unless account and state are as declared.
func (x *trial) checkIsAsDeclared(f finished) {
	x.t.Helper()
	held, state, declared := x.held(), x.state(), x.config.declared()
	for id := range held {
		want, isDeclared := declared[id]
		if isDeclared && held[id] != want {
			x.t.Errorf("%v: customer %d is latched to %s, want %s", f.args, id, held[id].Latch(), want.Latch())
		}
		if got := state.of(id); !isDeclared && len(got) > 0 || isDeclared && (len(got) != 1 || got[0] != want) {
			x.t.Errorf("%v: the state has %v for customer %d, want %v", f.args, got, id, want)
		}
	}
}

// reasonToRefuse returns the reason for which the user has to decide before an apply can succeed;
// empty: there is none.
func (x *trial) reasonToRefuse() string {
	held, state, declared := x.held(), x.state(), x.config.declared()
	claimed := map[string]bool{}
	for _, r := range x.config.resources {
		for id, row := range r.rows {
			isNew := len(state.of(id)) == 0
			for _, claim := range claimsOf(row) {
				if claimed[claim] {
					return "two resources declare a claim"
				}
				claimed[claim] = true
				for holder, latch := range held {
					isOutsider := len(state.of(holder)) == 0
					if holder != id && isOutsider && !r.reassociate && slices.Contains(claimsOf(latch), claim) {
						return "a claim is held by a customer that the state does not have"
					}
				}
			}
			switch {
			case r.reassociate:
			case isNew && len(claimsOf(held[id])) > 0 && held[id] != declared[id]:
				return "a customer is latched otherwise"
			case r.createFirst:
				return "the new object claims what the old one has"
			}
		}
	}
	return ""
}
