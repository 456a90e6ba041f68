package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// accountKey is the key of the fingerprint of the account in the private data of a state or a plan.
const accountKey = "account"

// sampleSize is the number of managed customers that have to be missing before the provider decides
// that the account has none of them.
const sampleSize = 10

// accountGuard compares the account of a run with the account of the state, so a run with the key
// of another account changes nothing. It is safe for concurrent use.
type accountGuard struct {
	reader  *customers.Reader
	baseURL string // for messages

	mu       sync.Mutex
	recorded map[string]customers.Fingerprint // of the states that were read, by their JSON
	isOther  bool                             // the state is known to be of another account
	found    int                              // states of which at least one customer was found
	missing  int                              // states without a fingerprint of which no customer was found
}

func newAccountGuard(reader *customers.Reader, baseURL string) *accountGuard {
	return &accountGuard{reader: reader, baseURL: baseURL, recorded: make(map[string]customers.Fingerprint)}
}

// otherAccountError reports that the account is not the one that the state was written for.
type otherAccountError struct {
	baseURL    string
	customerID int64  // a customer of the state; 0 if none is known
	why        string // the difference that was found
}

func (e *otherAccountError) Error() string {
	return fmt.Sprintf("the account of the API key at %s is not the account of the state: %s", e.baseURL, e.why)
}

// recordedAccount returns the fingerprint in private data, or nil if there is none.
func recordedAccount(ctx context.Context, private privateData) (customers.Fingerprint, diag.Diagnostics) {
	data, diags := private.GetKey(ctx, accountKey)
	if data == nil {
		return nil, diags
	}
	var recorded customers.Fingerprint
	if err := json.Unmarshal(data, &recorded); err != nil {
		diags.AddError("Private data cannot be read", sentence(err))
	}
	return recorded, diags
}

// record writes the fingerprint of the account to private data. If the account cannot be listed,
// record only logs it: the latch is made, and a state without a fingerprint is only less guarded.
func (g *accountGuard) record(ctx context.Context, private privateData) diag.Diagnostics {
	current, err := g.reader.Fingerprint(ctx)
	if err != nil {
		tflog.Warn(ctx, "the state does not record its account, because the account could not be listed",
			map[string]any{"error": err.Error()})
	}
	return writeAccount(ctx, private, current)
}

// recordKnown writes the fingerprint to private data if the reader already knows it. It makes no
// call.
func (g *accountGuard) recordKnown(ctx context.Context, private privateData) diag.Diagnostics {
	return writeAccount(ctx, private, g.reader.KnownFingerprint())
}

func writeAccount(ctx context.Context, private privateData, current customers.Fingerprint) diag.Diagnostics {
	if len(current) == 0 {
		return nil
	}
	data, err := json.Marshal(current)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Private data cannot be written", sentence(err))}
	}
	return private.SetKey(ctx, accountKey, data)
}

// beforeRead returns an error if the state is already known to be of another account. It makes no
// call for a customer, so a run with the wrong key ends after a few calls instead of two for each
// customer. The plan of a create may have made the call that gets the fingerprint: Terraform plans
// creates and reads states in any order.
func (g *accountGuard) beforeRead(ctx context.Context, recorded customers.Fingerprint, customerID int64) error {
	g.mu.Lock()
	isOther, isMissing := g.isOther, g.found == 0 && g.missing >= sampleSize
	if data, err := json.Marshal(recorded); err == nil && recorded != nil {
		g.recorded[string(data)] = recorded
	}
	g.mu.Unlock()
	switch {
	case recorded != nil && (isOther || g.isKnownOther(recorded)):
		return g.compare(ctx, recorded, customerID)
	case recorded == nil && isMissing:
		return g.noneFound(customerID)
	}
	return nil
}

// afterRead returns an error if a customer is not latched as in the state and the account may be
// another one. Only the fingerprint, or another customer of the state that was found, proves that
// the account is the right one.
func (g *accountGuard) afterRead(ctx context.Context, recorded customers.Fingerprint, customerID int64, exists,
	isAsInState bool) error {
	g.mu.Lock()
	if exists {
		g.found++
	}
	isAnyFound := g.found > 0
	g.mu.Unlock()
	switch {
	case isAsInState:
		return nil
	case recorded != nil:
		return g.compare(ctx, recorded, customerID)
	case isAnyFound:
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.missing++
	return g.noneFound(customerID)
}

// isKnownOther reports whether the account is known by now to be another one than the recorded one.
func (g *accountGuard) isKnownOther(recorded customers.Fingerprint) bool {
	known := g.reader.KnownFingerprint()
	return known != nil && !recorded.Matches(known)
}

// compare returns an error unless the account is the recorded one.
func (g *accountGuard) compare(ctx context.Context, recorded customers.Fingerprint, customerID int64) error {
	current, err := g.reader.Fingerprint(ctx)
	if err != nil {
		return fmt.Errorf("the provider could not check that the account is that of the state: %w", err)
	}
	if recorded.Matches(current) {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.isOther = true
	why := "its oldest customers are not those that the state recorded"
	if len(current) == 0 {
		why = "it has no customers"
	}
	return &otherAccountError{g.baseURL, customerID, why}
}

func firstOf(customerIDs []int64) int64 {
	if len(customerIDs) == 0 {
		return 0
	}
	return customerIDs[0]
}

func (g *accountGuard) noneFound(customerID int64) error {
	return &otherAccountError{g.baseURL, customerID, "it has none of the customers of the state"}
}

// verify returns an error, before an update or a destroy, if the account is not the one of these
// customers of a state. Without a fingerprint, at least one of the customers must exist.
func (g *accountGuard) verify(ctx context.Context, recorded customers.Fingerprint, customerIDs []int64) error {
	if len(customerIDs) == 0 && recorded == nil {
		return nil
	}
	if recorded != nil {
		return g.compare(ctx, recorded, firstOf(customerIDs))
	}
	missing, err := g.missingSample(ctx, customerIDs)
	if err != nil || len(missing) == 0 {
		return err
	}
	return g.noneFound(customerIDs[0])
}

// missingSample looks up some of the customers. It returns them if none of them exists. It does not
// look up all customers, because each customer that the account does not have costs a call of its
// own: with the key of another account, a large set would take minutes.
func (g *accountGuard) missingSample(ctx context.Context, customerIDs []int64) ([]int64, error) {
	sample := customerIDs
	if n := len(customerIDs); n > sampleSize {
		sample = nil
		for i := range sampleSize {
			sample = append(sample, customerIDs[i*n/sampleSize])
		}
	}
	found, err := g.reader.Customers(ctx, sample, customers.MaxAge)
	if err != nil || len(found) > 0 {
		return nil, err
	}
	if _, err := g.reader.Fingerprint(ctx); err != nil { // Under a wrong base URL, everything is a 404.
		return nil, err
	}
	return sample, nil
}

// plan checks the account for a plan with changes, of an object that has these customers in the
// state. It returns an error if the account is not that of the state, or not that of another state
// that was already read. Otherwise it writes the fingerprint to the private data of the plan, from
// which a destroy gets it, also the destroy half of a replacement. A wrong key and a wrong path are
// errors, too. If the account cannot be listed for another reason, the plan goes on, and the apply
// tries again.
func (g *accountGuard) plan(
	ctx context.Context, prior, planned privateData, customerIDs []int64, report func(error) diag.Diagnostic,
) diag.Diagnostics {
	recorded, diags := recordedAccount(ctx, prior)
	if diags.HasError() {
		return diags
	}
	err := g.verify(ctx, recorded, customerIDs)
	if recorded == nil {
		current, listErr := g.reader.Fingerprint(ctx) // First, for the reads that come meanwhile.
		diags.Append(writeAccount(ctx, planned, current)...)
		if err == nil {
			err = listErr
		}
		if err == nil {
			err = g.compareRead(ctx)
		}
	}
	_, isOther := errors.AsType[*otherAccountError](err)
	if isOther || fusebill.IsKeyRefused(err) || fusebill.IsWrongPath(err) {
		diags.Append(report(err))
	}
	return diags
}

// compareRead compares the account with the fingerprints of all states that were read. The plan of
// a create, or of a tainted object, has no state of its own to compare.
func (g *accountGuard) compareRead(ctx context.Context) error {
	for _, recorded := range g.read() {
		if err := g.compare(ctx, recorded, 0); err != nil {
			return err
		}
	}
	return nil
}

// isProved reports whether the account is the one of all states that were read by now and have a
// fingerprint, and there is such a state.
func (g *accountGuard) isProved(ctx context.Context) bool {
	return len(g.read()) > 0 && g.compareRead(ctx) == nil
}

// read returns the fingerprints of the states that were read by now.
func (g *accountGuard) read() []customers.Fingerprint {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Collect(maps.Values(g.recorded))
}
