package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// accountKey holds, in the private data of a state or a plan, the fingerprint of the account that
// the latches are in.
const accountKey = "account"

// sampleSize is how many managed customers are looked up, or may be missing, before the provider
// decides that the account has none of them.
const sampleSize = 10

// accountGuard keeps a run from taking the customers of one account for those of another one. It is
// safe for concurrent use.
type accountGuard struct {
	reader  *customers.Reader
	baseURL string // for messages

	mu       sync.Mutex
	recorded map[string]customers.Fingerprint // of the states that were read, by their JSON
	isOther  bool                             // the state is known to be of another account
	found    int                              // states of which a customer was found
	missing  int                              // single latches without a fingerprint whose customers are gone
}

func newAccountGuard(reader *customers.Reader, baseURL string) *accountGuard {
	return &accountGuard{reader: reader, baseURL: baseURL, recorded: make(map[string]customers.Fingerprint)}
}

// otherAccountError refuses to go on in another account than the one that the state is of.
type otherAccountError struct {
	baseURL    string
	customerID int64 // one of the state
	// why the account is taken for another one
	why string
}

func (e *otherAccountError) Error() string {
	return fmt.Sprintf("the account of the API key at %s is not the account of the state: %s", e.baseURL, e.why)
}

// recordedAccount returns the fingerprint in private data, nil where there is none.
func recordedAccount(ctx context.Context, private privateData) (customers.Fingerprint, diag.Diagnostics) {
	data, diags := private.GetKey(ctx, accountKey)
	if data == nil {
		return nil, diags
	}
	var recorded customers.Fingerprint
	if err := json.Unmarshal(data, &recorded); err != nil {
		diags.AddError("Private data can not be read", sentence(err))
	}
	return recorded, diags
}

// record writes the fingerprint of the account to private data. A state without one is less guarded
// and no reason to fail, so an account that cannot be listed is only logged.
func (g *accountGuard) record(ctx context.Context, private privateData) diag.Diagnostics {
	current, err := g.reader.Fingerprint(ctx)
	if err != nil {
		tflog.Warn(ctx, "the state does not record its account, which could not be listed", map[string]any{
			"error": err.Error()})
	}
	return writeAccount(ctx, private, current)
}

// recordKnown is record where no call is needed.
func (g *accountGuard) recordKnown(ctx context.Context, private privateData) diag.Diagnostics {
	return writeAccount(ctx, private, g.reader.KnownFingerprint())
}

func writeAccount(ctx context.Context, private privateData, current customers.Fingerprint) diag.Diagnostics {
	if len(current) == 0 {
		return nil
	}
	data, err := json.Marshal(current)
	if err != nil {
		return diag.Diagnostics{diag.NewErrorDiagnostic("Private data can not be written", sentence(err))}
	}
	return private.SetKey(ctx, accountKey, data)
}

// beforeRead returns an error where the state is known by now to be of another account. It makes no
// call, so a run with the wrong key ends after a few calls instead of two for each customer.
func (g *accountGuard) beforeRead(ctx context.Context, recorded customers.Fingerprint, customerID int64) error {
	g.mu.Lock()
	isOther, isMissing := g.isOther, g.found == 0 && g.missing >= sampleSize
	if data, err := json.Marshal(recorded); err == nil && recorded != nil {
		g.recorded[string(data)] = recorded
	}
	g.mu.Unlock()
	switch {
	case recorded != nil && isOther:
		return g.compare(ctx, recorded, customerID)
	case recorded == nil && isMissing:
		return g.noneFound(customerID)
	}
	return nil
}

// afterRead checks the account where a customer is not latched as the state has it. Nothing proves
// the account then but the fingerprint, or another customer of the state that was found.
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

// verify makes sure, before an update or a destroy, that the account is the one of these customers
// of a state. Without a fingerprint, one of them has to exist.
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
	if _, err := g.reader.Fingerprint(ctx); err != nil {
		return err
	}
	return g.noneFound(customerIDs[0])
}

// missingSample looks up some customers, and returns them if none exists. Each customer that a list
// does not have costs a call of its own, so with the key of another account, to look up all of a
// large set would take minutes.
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
	return sample, nil
}

// plan guards a plan with changes of an object that has these customers in the state. It returns an
// error where the account is another one than that of the state, or than that of other states which
// were read by now. Otherwise the plan's private data carries the fingerprint for a destroy, which
// is one half of a replacement, too. An account that cannot be listed does not stop a plan: the
// apply tries again.
func (g *accountGuard) plan(ctx context.Context, prior, planned privateData, customerIDs []int64,
	report func(error) diag.Diagnostic) diag.Diagnostics {
	recorded, diags := recordedAccount(ctx, prior)
	if diags.HasError() {
		return diags
	}
	err := g.verify(ctx, recorded, customerIDs)
	if recorded == nil {
		if err == nil {
			err = g.compareRead(ctx)
		}
		diags.Append(g.record(ctx, planned)...)
	}
	if _, isOther := errors.AsType[*otherAccountError](err); isOther || fusebill.IsKeyRefused(err) {
		diags.Append(report(err))
	}
	return diags
}

// compareRead compares the account with the fingerprints of the states that were read. A plan of a
// create has no state of its own, and neither has that of a tainted object.
func (g *accountGuard) compareRead(ctx context.Context) error {
	g.mu.Lock()
	var read []customers.Fingerprint
	for _, recorded := range g.recorded {
		read = append(read, recorded)
	}
	g.mu.Unlock()
	for _, recorded := range read {
		if err := g.compare(ctx, recorded, 0); err != nil {
			return err
		}
	}
	return nil
}
