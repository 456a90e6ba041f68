package contract

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
)

// What the reference says of the service is asserted; what isn't known is found out and told. Of customers nothing is told
// but what the service's own words say.

func TestContract(t *testing.T) {
	t.Parallel()
	simulator := map[string]string{}
	t.Run("simulator", func(t *testing.T) {
		g := simulated(t)
		g.check(t, nil)
		simulator = g.findings
		if a, b := g.latchOf(t, g.customer), g.latchOf(t, g.other); a != (fusebill.Latch{HubSpotID: 101, HubSpotCompanyID: 201}) || !b.IsZero() {
			t.Errorf("latches aren't put back: %s and %s", a, b)
		}
	})
	t.Run("account", func(t *testing.T) {
		g := accountOf(t)
		t.Log("About 20 calls will be made that read, and 20 more, half of them writes, where " + envCustomer + " is set. They count against the account's limits.")
		g.check(t, simulator)
	})
}

func (g *target) check(t *testing.T, simulator map[string]string) {
	g.open(t)
	defer g.tell(t, simulator)
	t.Run("authentication", g.checkAuthentication)
	t.Run("quota", g.checkQuota)
	t.Run("paging", g.checkPaging)
	sample := g.sample(t)
	if len(sample) == 0 {
		t.Skip("The account has no customers, so nothing more can be told.")
	}
	t.Run("customer", func(t *testing.T) { g.checkCustomer(t, sample[0]) })
	t.Run("ID set", func(t *testing.T) { g.checkIDSet(t, sample) })
	t.Run("filters", func(t *testing.T) { g.checkFilters(t, sample) })
	t.Run("latch", g.checkLatch)
	t.Run("conflict", g.checkConflict)
}

func page(number, size int, more ...string) url.Values {
	query := url.Values{"pageNumber": {fmt.Sprint(number)}, "pageSize": {fmt.Sprint(size)}}
	for i := 0; i+1 < len(more); i += 2 {
		query.Set(more[i], more[i+1])
	}
	return query
}

func (g *target) checkAuthentication(t *testing.T) {
	for name, key := range map[string]string{"a wrong key": "d3Jvbmcta2V5", "no key": ""} {
		r := g.get(t, key, "/customers", page(0, 1))
		if r.status != http.StatusUnauthorized {
			t.Errorf("%s: status %d, want 401", name, r.status)
			continue
		}
		g.found("words for "+name, "%q", r.isError(t, http.StatusUnauthorized))
	}
}

func (g *target) checkQuota(t *testing.T) {
	r, _ := g.list(t, page(0, 1))
	for _, window := range []string{"Minute", "Day"} {
		for _, name := range []string{"X-Rate-Limit-Limit-", "X-Rate-Limit-Remaining-"} {
			if value := r.header.Get(name + window); pattern(value) == "" || strings.Trim(pattern(value), "9") != "" {
				t.Errorf("%s%s is %q, want a number", name, window, value)
			}
		}
		g.found("form of X-Rate-Limit-Reset-"+window, "%q", pattern(r.header.Get("X-Rate-Limit-Reset-"+window)))
	}
	g.found("Content-Type of a list", "%q", r.header.Get("Content-Type"))
}

func (g *target) checkPaging(t *testing.T) {
	sorted := []string{"sortExpression", "createdTimestamp", "sortOrder", "Ascending"}
	r, first := g.list(t, page(0, 2, sorted...))
	if len(first) > 2 {
		t.Errorf("a page of 2 has %d customers", len(first))
	}
	for _, name := range []string{
		"X-Count", "X-MaxCount", "X-CurrentPage", "X-NextPage", "X-PreviousPage", "X-PageSize", "X-MaxPageIndex", "X-SortOrder", "X-SortExpression",
	} {
		g.found("page header "+name, "%q", shape(r.header.Get(name)))
	}
	_, second := g.list(t, page(1, 2, sorted...))
	for _, c := range second {
		if slices.ContainsFunc(first, func(other map[string]json.RawMessage) bool { return idOf(t, other) == idOf(t, c) }) {
			t.Error("pages 0 and 1 have a customer in common: pages don't count from 0, or aren't sorted")
		}
	}
	for _, c := range first {
		_, contact := c["hubSpotId"]
		_, company := c["hubSpotCompanyId"]
		g.found("list entries carry the HubSpot keys", "%v", contact && company)
	}
}

// sample reads customers, as the client sees them, and looks at their compression on the way.
func (g *target) sample(t *testing.T) []fusebill.Customer {
	t.Helper()
	r := g.get(t, g.key, "/customers", page(0, sampleSize), "Accept-Encoding", "gzip")
	g.found("compression of a list", "%q", r.header.Get("Content-Encoding"))
	r = r.unpacked(t)
	r.customers(t)
	var sample []fusebill.Customer
	if err := json.Unmarshal(r.body, &sample); err != nil {
		t.Fatalf("the client can't read a list: %v", err)
	}
	return sample
}

func (g *target) checkCustomer(t *testing.T, c fusebill.Customer) {
	if got, err := g.client.Customer(t.Context(), c.ID); err != nil || got.Status != c.Status || got.Reference != c.Reference {
		t.Errorf("read by itself, a customer isn't what the list says: %v", err)
	}
	path := fmt.Sprintf("/CUSTOMERS/%d", c.ID)
	if r := g.get(t, g.key, path, nil); r.status != http.StatusOK {
		t.Errorf("a path in upper case: status %d, want 200", r.status)
	}
	if _, err := g.client.Customer(t.Context(), noCustomer); !fusebill.IsNotFound(err) {
		t.Errorf("a customer that doesn't exist: %v, want 404", err)
	}
	g.found("words for a customer that doesn't exist", "%q",
		g.get(t, g.key, fmt.Sprintf("/customers/%d", noCustomer), nil).isError(t, http.StatusNotFound))
}

func (g *target) checkIDSet(t *testing.T, sample []fusebill.Customer) {
	wanted := []int64{sample[0].ID, sample[len(sample)-1].ID}
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	p, err := g.client.Customers(t.Context(), fusebill.CustomersRequest{IDs: append(slices.Clone(wanted), noCustomer)})
	if err != nil {
		t.Fatal(err)
	}
	if got := idsOf(p.Customers); !slices.Equal(got, wanted) || !p.Last {
		t.Errorf("a set of %d IDs, one of which nobody has, brings %d customers, the last page: %v", len(wanted)+1, len(got), p.Last)
	}
}

func idsOf(customers []fusebill.Customer) []int64 {
	var ids []int64
	for _, c := range customers {
		ids = append(ids, c.ID)
	}
	slices.Sort(ids)
	return ids
}

func (g *target) checkFilters(t *testing.T, sample []fusebill.Customer) {
	g.filters(t, "status", "status:"+sample[0].Status, sample[0], func(c fusebill.Customer) bool { return c.Status == sample[0].Status })
	if day := sample[0].Modified.Format(time.DateOnly); !sample[0].Modified.IsZero() {
		g.filters(t, "modifiedTimestamp", "modifiedTimestamp:"+day+"|", sample[0], func(c fusebill.Customer) bool {
			return c.Modified.Format(time.DateOnly) >= day
		})
	} else {
		t.Error("a customer's modifiedTimestamp can't be read")
	}
	g.filters(t, "modifiedTimestamp with an upper bound", "modifiedTimestamp:|1990-01-01", sample[0], func(fusebill.Customer) bool { return false })
	i := slices.IndexFunc(sample, func(c fusebill.Customer) bool {
		return len(c.Reference) > 2 && !strings.ContainsAny(c.Reference, ";:,|*[] ")
	})
	if i < 0 {
		t.Skipf("Filters by reference aren't tried: none of %d customers has one that is free of signs of queries.", len(sample))
	}
	reference := sample[i].Reference
	g.filters(t, "reference", "reference:"+reference, sample[i], func(c fusebill.Customer) bool { return c.Reference == reference })
	g.filters(t, "reference with a wildcard", "reference:"+reference[:2]+"*", sample[i], func(c fusebill.Customer) bool {
		return strings.HasPrefix(strings.ToLower(c.Reference), strings.ToLower(reference[:2]))
	})
}

// filters fails the test where a query brings a customer that doesn't match, or none although there is one that does.
func (g *target) filters(t *testing.T, name, query string, known fusebill.Customer, matches func(fusebill.Customer) bool) {
	t.Helper()
	r := g.get(t, g.key, "/customers", page(0, sampleSize, "query", query))
	var got []fusebill.Customer
	if err := json.Unmarshal(r.body, &got); err != nil || r.status != http.StatusOK {
		t.Errorf("filter by %s: status %d, %v", name, r.status, err)
		return
	}
	for _, c := range got {
		if !matches(c) {
			t.Errorf("filter by %s brings a customer that doesn't match", name)
			return
		}
	}
	if len(got) == 0 && matches(known) {
		t.Errorf("filter by %s brings nobody, although there is a customer that matches", name)
	}
}

// borrow notes a customer's latch, and puts it back at the test's end.
func (g *target) borrow(t *testing.T, customer int64) fusebill.Latch {
	t.Helper()
	before := g.latchOf(t, customer)
	t.Logf("Customer %d is latched to %s. That will be put back.", customer, before)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context()) // It has ended by now.
		if c, err := g.client.Customer(ctx, customer); err == nil && *c.Latch == before {
			return
		}
		if _, err := g.client.Latch(ctx, customer, before); err != nil {
			t.Errorf("CUSTOMER %d IS LEFT WITH ANOTHER LATCH: it was latched to %s, and that can't be put back: %v", customer, before, err)
		}
	})
	return before
}

// trial is the latch that a customer may be given: its own, or the contact that was named.
func (g *target) trial(t *testing.T, before fusebill.Latch) fusebill.Latch {
	t.Helper()
	if !before.IsZero() {
		return before
	}
	if g.contact == 0 {
		t.Skipf("Latching isn't tried: customer %d has no latch, and %s names no contact.", g.customer, envContact)
	}
	return fusebill.Latch{HubSpotID: g.contact}
}

func (g *target) checkLatch(t *testing.T) {
	if g.customer == 0 {
		t.Skipf("Nothing is written: %s isn't set.", envCustomer)
	}
	before := g.borrow(t, g.customer)
	g.checkUnknownContact(t, before)
	latch := g.trial(t, before)
	for _, moment := range []string{"latched", "latched again"} {
		g.isLatched(t, moment, latch, func() (fusebill.Customer, error) { return g.client.Latch(t.Context(), g.customer, latch) })
	}
	for _, moment := range []string{"unlatched", "unlatched again"} {
		g.isLatched(t, moment, fusebill.Latch{}, func() (fusebill.Customer, error) { return g.client.Unlatch(t.Context(), g.customer) })
	}
	g.isLatched(t, "latched after all", latch, func() (fusebill.Customer, error) { return g.client.Latch(t.Context(), g.customer, latch) })
	g.isLatched(t, "latched to nothing", fusebill.Latch{}, func() (fusebill.Customer, error) {
		return g.client.Latch(t.Context(), g.customer, fusebill.Latch{})
	})
}

// isLatched fails the test unless a call answers with the customer so latched.
func (g *target) isLatched(t *testing.T, moment string, want fusebill.Latch, call func() (fusebill.Customer, error)) {
	t.Helper()
	if c, err := call(); err != nil || *c.Latch != want {
		t.Errorf("%s: the answer isn't the customer so latched: %v", moment, err)
	}
}

func (g *target) checkUnknownContact(t *testing.T, before fusebill.Latch) {
	t.Helper()
	_, err := g.client.Latch(t.Context(), g.customer, fusebill.Latch{HubSpotID: noContact, HubSpotCompanyID: before.HubSpotCompanyID})
	var refusal *fusebill.APIError
	if !errors.As(err, &refusal) || refusal.StatusCode != http.StatusBadRequest {
		t.Errorf("a contact that HubSpot doesn't have: %v, want 400", err)
		return
	}
	g.found("words for a contact that HubSpot doesn't have", "%q", refusal.Messages)
	if g.latchOf(t, g.customer) != before {
		t.Error("what was refused has changed the latch")
	}
}

// checkConflict makes one test customer claim what another holds. It has to be one, since the claim may well succeed.
func (g *target) checkConflict(t *testing.T) {
	if g.customer == 0 || g.other == 0 {
		t.Skipf("Conflicts aren't tried: that needs two customers, in %s and %s.", envCustomer, envOther)
	}
	held := g.trial(t, g.borrow(t, g.customer))
	g.borrow(t, g.other) // Put back first, so that what it may have taken is free again.
	if _, err := g.client.Latch(t.Context(), g.customer, held); err != nil {
		t.Fatal(err)
	}
	_, err := g.client.Latch(t.Context(), g.other, held)
	var refusal *fusebill.APIError
	switch {
	case errors.As(err, &refusal):
		g.found("a contact that another customer holds", "refused with %d", refusal.StatusCode)
		g.found("words for a contact that another customer holds", "%q", shape(strings.Join(refusal.Messages, "; ")))
		if g.latchOf(t, g.customer) != held {
			t.Error("what was refused has changed the holder's latch")
		}
	case err != nil:
		t.Error(err)
	default:
		g.found("a contact that another customer holds", "taken from its holder: %v", g.latchOf(t, g.customer).HubSpotID != held.HubSpotID)
	}
}
