package customers

import (
	"context"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// fingerprintSize is the number of customers in a fingerprint. Several of them make it likely that
// some still exist after others were deleted.
const fingerprintSize = 10

// Fingerprint identifies an account by its oldest customers: their IDs and the times at which they
// were created. Its JSON is an object from ID to time. The fingerprint of an account without
// customers is empty and identifies nothing.
type Fingerprint map[int64]time.Time

// Matches reports whether two fingerprints belong to the same account, which is so if they share a
// customer. It ignores a time that an answer did not have.
func (f Fingerprint) Matches(other Fingerprint) bool {
	for id, created := range f {
		otherwise, isShared := other[id]
		if isShared && (created.Equal(otherwise) || created.IsZero() || otherwise.IsZero()) {
			return true
		}
	}
	return false
}

// control is the list call that proves that the API key and the base URL lead to an account, and
// to which one.
type control struct {
	turn chan struct{} // has an element while a caller makes the call or reads err
	err  error
}

// KnownFingerprint returns the fingerprint of the account if an answer has already shown it, or
// else nil. It makes no call.
func (r *Reader) KnownFingerprint() Fingerprint {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fingerprint
}

// Fingerprint returns the fingerprint of the account. It makes one API call for each Reader, or
// none where the first page of the account was already read. If the API call is refused, every
// later Fingerprint returns the same error. After any other failure, the next one tries again.
func (r *Reader) Fingerprint(ctx context.Context) (Fingerprint, error) {
	if known := r.KnownFingerprint(); known != nil {
		return known, nil
	}
	c := &r.control
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if known := r.KnownFingerprint(); known != nil {
		return known, nil
	}
	if !fusebill.IsRefusal(c.err) {
		c.err = r.readFingerprint(ctx)
	}
	return r.KnownFingerprint(), c.err
}

func (r *Reader) readFingerprint(ctx context.Context) error {
	asked := r.ask()
	page, err := r.client.Customers(ctx, fusebill.CustomersRequest{PageSize: fingerprintSize})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keepListLocked(asked, page)
	r.keepFingerprintLocked(page)
	return nil
}

// keepFingerprintLocked keeps the fingerprint from the first page of the account, of any size. The
// service lists the oldest customers first.
func (r *Reader) keepFingerprintLocked(page fusebill.CustomersPage) {
	r.fingerprint = make(Fingerprint, fingerprintSize)
	for _, customer := range page.Customers[:min(len(page.Customers), fingerprintSize)] {
		r.fingerprint[customer.ID] = customer.Created
	}
}
