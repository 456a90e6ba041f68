package latch

import (
	"fmt"
	"strings"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// AlreadyLatchedError refuses to create a latch on a customer that has another one: it would be overwritten unseen.
type AlreadyLatchedError struct {
	CustomerID int64
	Current    fusebill.Latch
}

func (e *AlreadyLatchedError) Error() string {
	return fmt.Sprintf("customer %d is latched to %s already", e.CustomerID, e.Current)
}

// ChangedError refuses to update a latch that somebody else has changed since the plan was made.
type ChangedError struct {
	CustomerID int64
	Planned    fusebill.Latch // what the plan started from
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

// NotDoneError says that a write failed and that the customer was read afterwards: it is as Current says.
type NotDoneError struct {
	CustomerID int64
	Current    fusebill.Latch
	Err        error
}

func (e *NotDoneError) Error() string {
	return fmt.Sprintf("%s; read afterwards, customer %d is latched to %s", strings.TrimSuffix(e.Err.Error(), "."), e.CustomerID, e.Current)
}

func (e *NotDoneError) Unwrap() error { return e.Err }

// HeldError refuses a latch that claims what other customers hold and don't give up.
type HeldError struct {
	CustomerID int64
	Held       []Holding
	// Declared says that a holder was latched in this run too, or was to let go and couldn't: waiting for it, or taking from
	// it, makes no sense.
	Declared bool
}

func (e *HeldError) Error() string {
	var held []string
	for _, h := range e.Held {
		held = append(held, fmt.Sprintf("%s is latched to customer %d", h.Claim, h.Holder))
	}
	return strings.Join(held, ", and ")
}

// NotPutBackError says that a change failed after its customer had given something up, and that this couldn't be put
// back.
type NotPutBackError struct {
	CustomerID int64
	Prior      fusebill.Latch
	Current    fusebill.Latch
	Cause      error // why the change failed
	Err        error // why it couldn't be put back
}

func (e *NotPutBackError) Error() string {
	return fmt.Sprintf("%s; on the way customer %d gave up %s, which could not be put back (%s): it is latched to %s now",
		e.Cause, e.CustomerID, e.Prior.Without(e.Current), e.Err, e.Current)
}

func (e *NotPutBackError) Unwrap() []error { return []error{e.Cause, e.Err} }

// NoCustomerError says that a customer of a set doesn't exist.
type NoCustomerError struct {
	CustomerID int64
}

func (e *NoCustomerError) Error() string {
	return fmt.Sprintf("customer %d doesn't exist", e.CustomerID)
}
