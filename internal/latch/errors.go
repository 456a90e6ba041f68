package latch

import (
	"fmt"
	"strings"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// AlreadyLatchedError refuses to create a latch on a customer that has another one: it would be
// overwritten unseen.
type AlreadyLatchedError struct {
	CustomerID int64
	Current    fusebill.Latch
}

func (e *AlreadyLatchedError) Error() string {
	return fmt.Sprintf("customer %d is latched to %s already", e.CustomerID, e.Current)
}

// ChangedError refuses to change a latch that somebody else has changed since the plan was made, or
// since the change began.
type ChangedError struct {
	CustomerID int64
	Planned    fusebill.Latch // in the state when the plan was made
	Current    fusebill.Latch
}

func (e *ChangedError) Error() string {
	return fmt.Sprintf("customer %d is latched to %s, and no longer to %s as when the plan was made",
		e.CustomerID, e.Current, e.Planned)
}

// UnexpectedAnswerError says that the service accepted a latch and answered with another one.
type UnexpectedAnswerError struct {
	CustomerID int64
	Requested  fusebill.Latch
	Answered   fusebill.Latch
}

func (e *UnexpectedAnswerError) Error() string {
	return fmt.Sprintf("customer %d was to be latched to %s, and the API answered that it is latched to %s",
		e.CustomerID, e.Requested, e.Answered)
}

// UnconfirmedError says that a write has failed in a way that leaves its outcome open, and that no
// read afterwards proves that it was made: the service may make it later. It unwraps to a
// [fusebill.OutcomeUnknownError].
type UnconfirmedError struct {
	CustomerID int64
	Requested  fusebill.Latch
	Current    fusebill.Latch // what the read afterwards showed
	Others     []int64        // the customers that would lose something to the latch
	Err        error
	ReadErr    error // why the customer could not be read afterwards; nil: it was
}

func (e *UnconfirmedError) Error() string {
	text := strings.TrimSuffix(e.Err.Error(), ".")
	if e.ReadErr != nil {
		text += fmt.Sprintf("; customer %d could not be read afterwards (%s), and the service may have latched it, "+
			"or may still latch it, to %s", e.CustomerID, strings.TrimSuffix(e.ReadErr.Error(), "."), e.Requested)
	} else {
		text += fmt.Sprintf("; read afterwards, customer %d is latched to %s, and the service may still latch it to %s",
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
	Holder int64
}

// HeldReason is why the holder of a claim has not released it.
type HeldReason int

// The reasons. Terraform announces no later changes, so only the last is certain.
const (
	HolderUnchanged HeldReason = iota // no change of this run that is about the holder has begun
	HolderWaits                       // the change of the holder waits itself
	HolderKeeps                       // a change of this run declares it for the holder, or has failed to release it
)

// HeldError refuses a latch that claims what other customers hold and do not release.
type HeldError struct {
	CustomerID int64
	Held       []Holding
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

// NotRestoredError says that a change failed after its customer had released something, and that
// this could not be restored.
type NotRestoredError struct {
	CustomerID int64
	Prior      fusebill.Latch
	Current    fusebill.Latch
	Cause      error // why the change failed
	Err        error // why it could not be restored
}

func (e *NotRestoredError) Error() string {
	return fmt.Sprintf(
		"%s; customer %d had released %s for the change, which could not be restored (%s): it is latched to %s now",
		e.Cause, e.CustomerID, e.Prior.Without(e.Current), e.Err, e.Current)
}

func (e *NotRestoredError) Unwrap() []error { return []error{e.Cause, e.Err} }

// NoCustomerError says that the customer of a change does not exist.
type NoCustomerError struct {
	CustomerID int64
	Err        error // the service's words; nil: lists do not show the customer, nor does a read of its own
}

func (e *NoCustomerError) Error() string {
	text := fmt.Sprintf("customer %d does not exist", e.CustomerID)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *NoCustomerError) Unwrap() error { return e.Err }

// OtherLatchError refuses to remove another latch than the one that was meant.
type OtherLatchError struct {
	CustomerID int64
	Expected   fusebill.Latch
	Current    fusebill.Latch
}

func (e *OtherLatchError) Error() string {
	return fmt.Sprintf("customer %d is latched to %s, and not to %s", e.CustomerID, e.Current, e.Expected)
}

// DeclaredTwiceError refuses a latch whose customer, contact or company another object of the
// configuration declares.
type DeclaredTwiceError struct {
	CustomerID int64
	Claim      fusebill.Claim // zero: the customer itself is declared twice
	Other      int64          // the customer that the other object latches
}

func (e *DeclaredTwiceError) Error() string {
	if e.Claim == (fusebill.Claim{}) {
		return fmt.Sprintf("customer %d is also declared elsewhere in this configuration", e.CustomerID)
	}
	return fmt.Sprintf("%s is also declared elsewhere in this configuration, for customer %d", e.Claim, e.Other)
}

// RemovedElsewhereError refuses a plan in which one object keeps the latch that another one
// removes. Terraform applies nothing for the first, so nobody would notice that the latch is no
// longer the second one's to remove.
type RemovedElsewhereError struct {
	CustomerID int64
}

func (e *RemovedElsewhereError) Error() string {
	return fmt.Sprintf("one object of the state keeps the latch of customer %d, and another one removes it", e.CustomerID)
}

// UnlatchConflictError refuses to remove a latch that a resource of the same run declares, and to
// declare one that an action of the same run removes.
type UnlatchConflictError struct {
	CustomerID int64
}

func (e *UnlatchConflictError) Error() string {
	return fmt.Sprintf("the same run latches customer %d by a resource and unlatches it by an action", e.CustomerID)
}

// ExclusiveError refuses a latch of a customer that an exclusive set of the same configuration does
// not list: the set would remove it.
type ExclusiveError struct {
	CustomerID int64 // zero: another set is exclusive, too
}

func (e *ExclusiveError) Error() string {
	if e.CustomerID == 0 {
		return "another latch set of this configuration is exclusive, too"
	}
	return fmt.Sprintf("an exclusive latch set of this configuration does not list customer %d", e.CustomerID)
}
