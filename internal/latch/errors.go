package latch

import (
	"fmt"
	"strings"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// AlreadyLatchedError refuses to create a latch of a customer that has another one, which nobody
// has seen in a plan. [Coordinator.Apply] returns it for a change without a prior latch, unless
// [ApplyOptions.Reassociate] is set; [Finding.Errors] returns it at a plan.
type AlreadyLatchedError struct {
	CustomerID int64
	Current    fusebill.Latch // not zero
}

func (e *AlreadyLatchedError) Error() string {
	return fmt.Sprintf("customer %d is already latched to %s", e.CustomerID, e.Current)
}

// ChangedError refuses to change a latch that somebody else has changed since the plan was made, or
// since the change began. [Coordinator.Apply] returns it, in a [NotRestoredError] where the change
// had released something by then.
type ChangedError struct {
	CustomerID int64
	Planned    fusebill.Latch // the latch in the state when the plan was made, or as the change left it
	Current    fusebill.Latch
}

func (e *ChangedError) Error() string {
	return fmt.Sprintf("customer %d was latched to %s, and is latched to %s now", e.CustomerID, e.Planned, e.Current)
}

// UnexpectedAnswerError reports that the service accepted a latch and answered with another one.
// [Coordinator.Apply] returns it. The latch after that is not certain.
type UnexpectedAnswerError struct {
	CustomerID int64
	Requested  fusebill.Latch
	Answered   fusebill.Latch
}

func (e *UnexpectedAnswerError) Error() string {
	return fmt.Sprintf("customer %d was to be latched to %s, and Fusebill answered that the customer is latched to %s",
		e.CustomerID, e.Requested, e.Answered)
}

// UnconfirmedError reports that a write has failed in a way that leaves its outcome open, and that
// no read afterwards proves that it was made: the service may make it later. [Coordinator.Apply]
// and [Coordinator.Unlatch] return it. It unwraps to a [fusebill.OutcomeUnknownError].
type UnconfirmedError struct {
	CustomerID int64
	Requested  fusebill.Latch
	Current    fusebill.Latch // as the read afterwards showed it; the last known one if ReadErr is not nil
	Others     []int64        // the customers that would lose a contact or a company to the latch
	Err        error          // of the write, never nil
	ReadErr    error          // the reason why the customer could not be read afterwards; nil if it was
}

func (e *UnconfirmedError) Error() string {
	text := strings.TrimSuffix(e.Err.Error(), ".")
	if e.ReadErr != nil {
		text += fmt.Sprintf("; customer %d could not be read afterwards (%s), so Fusebill may have latched the customer "+
			"to %s, or may still do so", e.CustomerID, strings.TrimSuffix(e.ReadErr.Error(), "."), e.Requested)
	} else {
		text += fmt.Sprintf("; afterwards customer %d was latched to %s, but Fusebill may still latch the customer to %s",
			e.CustomerID, e.Current, e.Requested)
	}
	var others []string
	for _, other := range e.Others {
		others = append(others, fmt.Sprintf("customer %d", other))
	}
	if len(others) > 0 {
		text += ", which " + strings.Join(others, " and ") + " would lose"
	}
	return text
}

func (e *UnconfirmedError) Unwrap() error { return e.Err }

// Holding is a claim that another customer holds.
type Holding struct {
	Claim  fusebill.Claim
	Holder int64 // the ID of that customer
}

// HeldReason is why the holder of a claim has not released it.
type HeldReason int

// The reasons. Terraform announces no later changes, so only the last is certain.
const (
	HolderUnchanged HeldReason = iota // no change of this run that is about the holder has begun
	HolderWaits                       // the change of the holder waits for another change
	HolderKeeps                       // a change of this run declares it for the holder, or has failed to release it
)

// HeldError refuses a latch with claims that other customers hold and do not release.
// [Coordinator.Apply] returns it after it has waited for the holders, if that can help. If a
// context has ended the wait, the error wraps the cause too.
type HeldError struct {
	CustomerID int64     // the customer that claims them
	Held       []Holding // at least one
	Reason     HeldReason
	// Chain is how many changes under way wait for each other in a row, behind this one. Where
	// Terraform's parallelism is below the length of the whole chain, its end cannot begin.
	Chain int
}

func (e *HeldError) Error() string {
	var held []string
	for _, h := range e.Held {
		held = append(held, fmt.Sprintf("%s is latched to customer %d", h.Claim, h.Holder))
	}
	return strings.Join(held, ", and ")
}

// less returns a latch less what others hold.
func less(l fusebill.Latch, held []Holding) fusebill.Latch {
	for _, h := range held {
		l = l.Less(h.Claim)
	}
	return l
}

// NotRestoredError reports that a change failed after a contact or a company of its customer was
// released, and that this could not be restored. [Coordinator.Apply] returns it, also for a holder
// from which a change has taken something: CustomerID is then the holder.
type NotRestoredError struct {
	CustomerID int64
	Prior      fusebill.Latch // before the release
	Current    fusebill.Latch
	Cause      error // the reason why the change failed, never nil
	Err        error // the reason why it could not be restored, never nil
}

func (e *NotRestoredError) Error() string {
	return fmt.Sprintf("%s; customer %d had released %s for this change, and it could not be restored (%s); "+
		"customer %d is latched to %s now",
		e.Cause, e.CustomerID, e.Prior.Without(e.Current), e.Err, e.CustomerID, e.Current)
}

// Unwrap returns the reasons.
func (e *NotRestoredError) Unwrap() []error { return []error{e.Cause, e.Err} }

// NoCustomerError reports that the customer of a change does not exist. [Coordinator.Apply] and
// [Coordinator.Unlatch] return it, [Finding.Errors] at a plan.
type NoCustomerError struct {
	CustomerID int64
	Err        error // the service's answer; nil: neither a list nor a single read shows the customer
}

func (e *NoCustomerError) Error() string {
	text := fmt.Sprintf("customer %d does not exist", e.CustomerID)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *NoCustomerError) Unwrap() error { return e.Err }

// OtherLatchError refuses to remove another latch than the expected one. [Coordinator.Unlatch]
// returns it.
type OtherLatchError struct {
	CustomerID int64
	Expected   fusebill.Latch
	Current    fusebill.Latch // not zero
}

func (e *OtherLatchError) Error() string {
	return fmt.Sprintf("customer %d is latched to %s, not to %s", e.CustomerID, e.Current, e.Expected)
}

// DeclaredTwiceError refuses a latch whose customer, contact or company another object of the
// configuration declares. [Intents.Note] returns it in a [Conflict].
type DeclaredTwiceError struct {
	CustomerID int64
	Claim      fusebill.Claim // zero: the customer itself is declared twice
	Other      int64          // the customer that the other object latches
}

func (e *DeclaredTwiceError) Error() string {
	if e.Claim == (fusebill.Claim{}) {
		return fmt.Sprintf("another resource of this configuration also declares customer %d", e.CustomerID)
	}
	return fmt.Sprintf("this configuration also declares %s for customer %d", e.Claim, e.Other)
}

// RemovedElsewhereError refuses a plan in which one object keeps the latch that another one
// removes. Terraform applies nothing for the first, so nobody would notice that the latch is no
// longer the second one's to remove. [Intents.Note] returns it in a [Conflict].
type RemovedElsewhereError struct {
	CustomerID int64
}

func (e *RemovedElsewhereError) Error() string {
	return fmt.Sprintf("one object of the state keeps the latch of customer %d, and another one removes it", e.CustomerID)
}

// UnlatchConflictError refuses to remove a latch that a resource of the same run declares, and to
// declare one that an action of the same run removes. [Intents.Note] returns it in a [Conflict],
// [Coordinator.Unlatch] at an apply.
type UnlatchConflictError struct {
	CustomerID int64
}

func (e *UnlatchConflictError) Error() string {
	return fmt.Sprintf("a resource of this run latches customer %d, and an action unlatches the customer", e.CustomerID)
}

// ExclusiveError refuses a latch of a customer that an exclusive set of the same configuration does
// not list: the set would remove it. [Intents.Note] returns it in a [Conflict].
type ExclusiveError struct {
	CustomerID int64 // zero: another set of the configuration is exclusive too
}

func (e *ExclusiveError) Error() string {
	if e.CustomerID == 0 {
		return "another latch set of this configuration is exclusive too"
	}
	return fmt.Sprintf("an exclusive latch set of this configuration does not list customer %d", e.CustomerID)
}
