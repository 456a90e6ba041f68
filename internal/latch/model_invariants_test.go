package latch_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// invariants are what must hold after each run. Each is a method that reports what does not hold.
var invariants = []struct {
	name  string
	check func(*run, report)
}{
	{"nothing hangs", (*run).nothingHangs},
	{"no latch is lost", (*run).noLatchIsLost},
	{"no claim is gained by surprise", (*run).noClaimIsGained},
	{"no newer change is overwritten", (*run).noNewerChangeIsOverwritten},
	{"no holder is robbed silently", (*run).noHolderIsRobbed},
	{"the results equal the account", (*run).resultsEqualAccount},
	{"another answer is an error that shows it", (*run).otherAnswersAreShown},
	{"a cancelled operation ends soon", (*run).cancelledOperationsEnd},
	{"few writes", (*run).fewWrites},
	{"nothing is released in vain", (*run).nothingIsReleasedInVain},
	{"what can be settled is settled", (*run).whatCanSettleIsSettled},
	{"errors have a documented type", (*run).errorsAreDocumented},
}

// report takes in one thing that does not hold.
type report func(format string, args ...any)

// violations returns the invariants that do not hold after a run.
func (r *run) violations() []violation {
	var found []violation
	for _, i := range invariants {
		i.check(r, func(format string, args ...any) {
			found = append(found, violation{i.name, fmt.Sprintf(format, args...), r.service.events()})
		})
	}
	return found
}

// outcome is a change of a begun operation, and its result.
type outcome struct {
	*operation
	latch.Change
	result latch.Result
	begun  bool // the change too, and not its operation alone
}

// outcomes returns the changes of begun operations. A change that its operation did not begin has
// the operation's error.
func (r *run) outcomes() []outcome {
	var all []outcome
	for _, o := range r.operations {
		for _, change := range o.changes {
			result, begun := o.results[change.CustomerID]
			if !begun {
				result = latch.Result{Latch: change.Prior, Err: o.err}
			}
			if o.begun {
				all = append(all, outcome{o, change, result, begun})
			}
		}
	}
	return all
}

// outcomeOf returns the first outcome that a condition holds for, and whether there is one.
func (r *run) outcomeOf(condition func(outcome) bool) (outcome, bool) {
	all := r.outcomes()
	if i := slices.IndexFunc(all, condition); i >= 0 {
		return all[i], true
	}
	return outcome{}, false
}

func (r *run) hasOutcome(condition func(outcome) bool) bool {
	_, found := r.outcomeOf(condition)
	return found
}

func (o outcome) succeeded() bool { return o.result.Err == nil }

// releases reports whether the change is to remove all that a resource has of its customer.
func (o outcome) releases() bool { return o.Declared.IsZero() }

// mayTake reports whether the change may take a claim from other customers.
func (o outcome) mayTake(claim fusebill.Claim) bool {
	return o.resource.reassociate && o.Declared.Holds(claim)
}

// mayReplace reports whether the change may remove a claim from its customer, whoever wrote it.
func (o outcome) mayReplace(claim fusebill.Claim) bool {
	return o.Prior.Holds(claim) || o.resource.reassociate && !o.releases()
}

// takesFrom returns the customers from which a change may take claims.
func (r *run) takesFrom(o outcome) []int64 {
	return slices.DeleteFunc(ids(r.account), func(id int64) bool {
		return id == o.CustomerID || !o.resource.reassociate || r.account[id].Common(o.Declared).IsZero()
	})
}

// isNamed reports whether an error of the run says that the latch of a customer is lost or unknown.
func (r *run) isNamed(id int64) bool {
	return r.hasOutcome(func(o outcome) bool {
		for _, lost := range all[*latch.NotRestoredError](o.result.Err) {
			if lost.CustomerID == id {
				return true
			}
		}
		isNamed := o.CustomerID == id || o.result.Err != nil && slices.Contains(customersIn(o.result.Err), id)
		return isNamed && isOpen(o.result.Err)
	})
}

// isOpen reports whether an error leaves open what a customer holds: the outcome of its write is
// unknown, or the service answered with another latch than it was asked for.
func isOpen(err error) bool {
	return len(all[*fusebill.OutcomeUnknownError](err))+len(all[*latch.UnexpectedAnswerError](err)) > 0
}

var customerInText = regexp.MustCompile(`\bcustomers? (\d+)(?: and (\d+))?\b`)

// customersIn returns the customers that the text of an error names.
func customersIn(err error) []int64 {
	var named []int64
	for _, match := range customerInText.FindAllStringSubmatch(err.Error(), -1) {
		for _, text := range match[1:] {
			if id, err := strconv.ParseInt(text, 10, 64); err == nil {
				named = append(named, id)
			}
		}
	}
	return named
}

// all returns the errors of one type in the tree of an error.
func all[E error](err error) []E {
	var found []E
	if e, ok := err.(E); ok { //nolint:errorlint // It walks the tree itself, to find more than the first.
		found = append(found, e)
	}
	switch e := err.(type) { //nolint:errorlint // As above.
	case interface{ Unwrap() error }:
		found = append(found, all[E](e.Unwrap())...)
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			found = append(found, all[E](err)...)
		}
	}
	return found
}

// errorsAreDocumented checks that, without disturbances, a change fails only for a reason that the
// documentation names. If the account is not read, the service decides, in its own words.
func (r *run) errorsAreDocumented(violated report) {
	for _, o := range r.outcomes() {
		if o.succeeded() || !r.isQuiet() || isDocumented(o.result.Err) {
			continue
		}
		_, isRefusal := errors.AsType[*fusebill.APIError](o.result.Err)
		_, isOtherAnswer := errors.AsType[*latch.UnexpectedAnswerError](o.result.Err)
		isExpected := isRefusal && (r.neverReads || len(r.refuses) > 0) || (isRefusal || isOtherAnswer) && len(r.merged) > 0
		if !isExpected {
			violated("%s failed for customer %d: %v", o.name, o.CustomerID, o.result.Err)
		}
	}
}

func isDocumented(err error) bool {
	_, isHeld := errors.AsType[*latch.HeldError](err)
	_, isLatched := errors.AsType[*latch.AlreadyLatchedError](err)
	_, isChanged := errors.AsType[*latch.ChangedError](err)
	_, isMissing := errors.AsType[*latch.NoCustomerError](err)
	return isHeld || isLatched || isChanged || isMissing
}
