package provider

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/latch"
)

// providerData is the data that all objects of one provider process share.
type providerData struct {
	reader      *customers.Reader
	coordinator *latch.Coordinator
	intents     *latch.Intents
	checker     *latch.Checker
	sets        *setMemory
	account     *accountGuard
	baseURL     string // for messages
	warnOfKept  sync.Once
}

// newProviderData returns the data of a configured provider. To find holders, the provider reads
// the whole account if the account has at most maxPages pages.
func newProviderData(client *fusebill.Client, baseURL string, maxPages int, options ...latch.Option) *providerData {
	reader, intents := customers.NewReader(client), latch.NewIntents()
	return &providerData{
		reader:      reader,
		coordinator: latch.New(client, reader, append([]latch.Option{latch.WithMaxPages(maxPages)}, options...)...),
		intents:     intents,
		checker:     latch.NewChecker(reader, intents, maxPages),
		sets:        newSetMemory(),
		account:     newAccountGuard(reader, baseURL),
		baseURL:     baseURL,
	}
}

// apply makes changes, see [latch.Coordinator.Apply].
func (d *providerData) apply(ctx context.Context, changes []latch.Change, options latch.ApplyOptions) (
	map[int64]latch.Result, error) {
	d.checker.Stop()
	return d.coordinator.Apply(ctx, changes, options)
}

// adoptedWarning lists the customers of a set that are already latched as declared. It leaves out
// customers in the state of any object, and those whose latch the destroy half of the same
// replacement has left. It makes no call, because the check that made the findings has read the
// customers.
func (d *providerData) adoptedWarning(
	ctx context.Context, findings []latch.Finding, left map[int64]fusebill.Latch,
) diag.Diagnostics {
	var adopted []int64
	isCreated := make(map[int64]bool)
	for _, finding := range findings {
		if id := finding.Change.CustomerID; finding.Change.Prior.IsZero() && d.intents.InState(id) == 0 {
			isCreated[id] = true
		}
	}
	maps.DeleteFunc(isCreated, func(id int64, _ bool) bool { _, isLeft := left[id]; return isLeft })
	found, err := d.reader.Customers(ctx, sortedKeys(isCreated), customers.MaxAge)
	if err != nil {
		return nil // The check of the plan reports what cannot be read.
	}
	for _, finding := range findings {
		change := finding.Change
		if isCreated[change.CustomerID] && customers.LatchOf(found[change.CustomerID]) == change.Declared {
			adopted = append(adopted, change.CustomerID)
		}
	}
	if len(adopted) == 0 {
		return nil
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic("HubSpot latches exist already",
		fmt.Sprintf("The account already has the latches of %s as declared, so the apply adopts them without a write: %s.",
			counted(len(adopted)), listed(adopted)))}
}

// dataFrom returns the provider's data for the Configure method of an object. It returns nil if
// Terraform has not configured the provider, for example in a validation.
func dataFrom(data any, diags *diag.Diagnostics) *providerData {
	if data == nil {
		return nil
	}
	configured, ok := data.(*providerData)
	if !ok {
		diags.AddError("Unexpected provider data",
			fmt.Sprintf("Want %T, got %T. This is a bug in the provider.", configured, data))
	}
	return configured
}
