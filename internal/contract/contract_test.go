package contract

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// forIssue is printed after all tests, for an issue.
var forIssue string

func TestMain(m *testing.M) {
	code := m.Run()
	fmt.Print(forIssue)
	os.Exit(code)
}

// TestContract asserts facts of the API reference, and reports what the reference leaves open. Of
// customers it shows IDs and latches only, and neither in the block for an issue.
func TestContract(t *testing.T) {
	t.Parallel()
	standard := newFindings()
	t.Run("simulator", func(t *testing.T) {
		a := simulated(t, func(*fusebillsim.Behavior) {})
		a.check(t)
		standard = a.findings
		for name, value := range standard.values {
			if strings.HasPrefix(value, notTried) {
				t.Errorf("%s: %s", name, value)
			}
		}
	})
	t.Run("account", func(t *testing.T) {
		a := fromEnvironment(t)
		t.Logf("About 25 calls read; with %s set, about 35 more are made, half of them writes. "+
			"All of them count against the limits of the account.", envCustomer)
		defer func() {
			forIssue = fmt.Sprintf("\n%d calls were made. For an issue, copy these lines:\n\n"+
				"### What the contract tests found\n\n%s\n", a.pacer.calls.Load(), a.findings.report(standard))
		}()
		a.check(t)
	})
}

// check runs all tests over an account. One that fails does not keep the others from running.
func (a *account) check(t *testing.T) {
	t.Run("authentication", a.checkAuthentication)
	t.Run("missing", a.checkMissing)
	t.Run("quota", a.checkQuota)
	t.Run("paging", a.checkPaging)
	sample := a.sample(t)
	if len(sample) == 0 {
		t.Log("The account has no customers, so the other tests are left out.")
		return
	}
	t.Run("customer", func(t *testing.T) { a.checkCustomer(t, sample[0]) })
	a.describeEntries(sample)
	t.Run("IDs", func(t *testing.T) { a.checkIDs(t, sample) })
	t.Run("filters", func(t *testing.T) { a.checkFilters(t, sample) })
	if a.customer != 0 {
		t.Run("latch", a.checkLatch)
		t.Run("conflict", a.checkConflict)
		t.Run("update", a.checkUpdate)
		t.Run("merged contact", a.checkMergedContact)
	}
	t.Run("429", a.checkRateLimit)
}

func (a *account) checkAuthentication(t *testing.T) {
	wrong := base64.StdEncoding.EncodeToString([]byte("0:" + strings.Repeat("contract", 8)))
	words := a.get(t, page(0, 1), "Authorization", "Basic "+wrong).isError(t, http.StatusUnauthorized)
	a.findings.add("words for a wrong key", "%q", words)

	r := a.get(t, page(0, 1), "Authorization", "Basic d3Jvbmcta2V5")
	form, words := r.errorForm()
	if r.status != http.StatusBadRequest && r.status != http.StatusUnauthorized {
		t.Errorf("a malformed key: status %d, want 400 or 401", r.status)
	}
	a.findings.add(malformedKeyStatus, "%d", r.status)
	a.findings.add("words for a malformed key", "%q in %s", words, form)

	r = a.get(t, page(0, 1), "Authorization", "")
	if r.status != http.StatusUnauthorized && r.status != http.StatusBadRequest {
		t.Errorf("no key: status %d, want 401 or 400", r.status)
	}
	a.findings.add("status without a key", "%d", r.status)
}

// checkMissing looks at both kinds of a 404.
func (a *account) checkMissing(t *testing.T) {
	r := a.get(t, fmt.Sprintf("/customers/%d", noCustomer))
	form, words := r.errorForm()
	if r.status != http.StatusNotFound {
		t.Errorf("a missing customer: status %d, want 404", r.status)
	}
	a.findings.add(missingCustomer, "%s", form)
	a.findings.add("words for a missing customer", "%q", words)

	r = a.get(t, "/noSuchRoute")
	form, _ = r.errorForm()
	if r.status != http.StatusNotFound {
		t.Errorf("an unknown route: status %d, want 404", r.status)
	}
	a.findings.add("body of the 404 of an unknown route", "%s", form)
}

func (a *account) checkQuota(t *testing.T) {
	r := a.get(t, page(0, 1))
	for _, window := range []string{"Minute", "Day"} {
		for _, name := range []string{"X-Rate-Limit-Limit-", "X-Rate-Limit-Remaining-"} {
			if value := r.header.Get(name + window); digit.ReplaceAllString(value, "") != "" || value == "" {
				t.Errorf("%s%s is %q, want a number", name, window, value)
			}
		}
	}
	minute, day := pattern(r.header.Get("X-Rate-Limit-Reset-Minute")), pattern(r.header.Get("X-Rate-Limit-Reset-Day"))
	switch {
	case minute != day:
		a.findings.add(resetFormat, "minute %q, day %q", minute, day)
	case minute == "":
		a.findings.add(resetFormat, "absent")
	default:
		a.findings.add(resetFormat, "%q", minute)
	}
	a.findings.add("Content-Type of a list", "%q", r.header.Get("Content-Type"))
}

func (a *account) checkPaging(t *testing.T) {
	sorted := []string{"sortExpression", "createdTimestamp", "sortOrder", "Ascending"}
	r := a.get(t, page(0, 2, sorted...))
	first := r.customers(t)
	if len(first) > 2 {
		t.Errorf("a page of 2 has %d customers", len(first))
	}
	var headers []string
	for _, name := range []string{
		"X-Count", "X-MaxCount", "X-CurrentPage", "X-NextPage", "X-PreviousPage",
		"X-PageSize", "X-MaxPageIndex", "X-SortOrder", "X-SortExpression",
	} {
		if r.header.Get(name) != "" {
			headers = append(headers, name)
		}
	}
	a.findings.add("page headers", "%s", strings.Join(headers, ", "))
	for _, c := range a.get(t, page(1, 2, sorted...)).customers(t) {
		if slices.ContainsFunc(first, func(other customer) bool { return other.id(t, "id") == c.id(t, "id") }) {
			t.Error("pages 0 and 1 have a customer in common: pages do not count from 0, or are not sorted")
		}
	}
	if r := a.get(t, strings.Replace(page(0, 2), "/customers?", "/customers/?", 1)); r.status != http.StatusOK {
		t.Errorf("a slash at the end of a path: status %d, want 200", r.status)
	}
}

// sample reads customers, and looks at their compression.
func (a *account) sample(t *testing.T) []customer {
	t.Helper()
	r := a.get(t, page(0, sampleSize), "Accept-Encoding", "gzip")
	a.findings.add("compression of a list", "%q", r.header.Get("Content-Encoding"))
	return r.customers(t)
}

func (a *account) checkCustomer(t *testing.T, listed customer) {
	id := listed.id(t, "id")
	c, err := a.client.Customer(t.Context(), id)
	if err != nil || c.Status != listed.text("status") {
		t.Errorf("a single customer is not what the list shows: %v", err)
	}
	if r := a.get(t, fmt.Sprintf("/CUSTOMERS/%d", id)); r.status != http.StatusOK {
		t.Errorf("a path in upper case: status %d, want 200", r.status)
	}
}

// describeEntries looks at the keys of list entries.
func (a *account) describeEntries(sample []customer) {
	with := 0
	for _, c := range sample {
		_, contact := c["hubSpotId"]
		_, company := c["hubSpotCompanyId"]
		if contact && company {
			with++
		}
	}
	switch with {
	case len(sample):
		a.findings.add(listKeys, "present")
	case 0:
		a.findings.add(listKeys, "absent")
	default:
		a.findings.add(listKeys, "present in %d of 100", 100*with/len(sample))
	}
	ids := "numbers"
	if strings.HasPrefix(string(sample[0]["id"]), `"`) {
		ids = "strings"
	}
	a.findings.add("IDs", "%s", ids)
	a.findings.add("form of createdTimestamp", "%q", pattern(sample[0].text("createdTimestamp")))
	a.findings.add("form of modifiedTimestamp", "%q", pattern(sample[0].text("modifiedTimestamp")))
	a.findings.add("uri", "%q", shape(sample[0].text("uri")))
}

func (a *account) checkIDs(t *testing.T, sample []customer) {
	wanted := []int64{sample[0].id(t, "id"), sample[len(sample)-1].id(t, "id")}
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	p, err := a.client.Customers(t.Context(), fusebill.CustomersRequest{IDs: append(slices.Clone(wanted), noCustomer)})
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for _, c := range p.Customers {
		got = append(got, c.ID)
	}
	slices.Sort(got)
	if !slices.Equal(got, wanted) || !p.Last {
		t.Errorf("a set of %d IDs, one of which no customer has, returns %d customers, the last page: %v",
			len(wanted)+1, len(got), p.Last)
	}
}

func (a *account) checkFilters(t *testing.T, sample []customer) {
	known := sample[0]
	status := known.text("status")
	a.filter(t, "status:"+status, known, func(c customer) bool { return c.text("status") == status })
	a.filter(t, "createdTimestamp:|", known, func(customer) bool { return true })
	a.filter(t, "modifiedTimestamp:|1990-01-01", known, func(customer) bool { return false })

	modified, err := time.Parse(time.RFC3339, strings.TrimSuffix(known.text("modifiedTimestamp"), "Z")+"Z")
	if err != nil {
		t.Errorf("modifiedTimestamp of a customer: %v", err)
	} else {
		since := func(layout string) {
			lower := modified.Format(layout)
			a.filter(t, "modifiedTimestamp:"+lower+"|", known, func(c customer) bool {
				return c.text("modifiedTimestamp") >= lower
			})
		}
		since(time.DateOnly)
		since("2006-01-02T15:04:05")
	}

	i := slices.IndexFunc(sample, func(c customer) bool {
		reference := c.text("reference")
		return len(reference) > 2 && !strings.ContainsAny(reference, ";:,|*[] ")
	})
	if i < 0 {
		t.Logf("Filters by reference are left out: none of %d customers has one without characters of queries.", len(sample))
		return
	}
	reference := sample[i].text("reference")
	a.filter(t, "reference:"+reference, sample[i], func(c customer) bool { return c.text("reference") == reference })
	a.filter(t, "reference:"+reference[:2]+"*", sample[i], func(c customer) bool {
		return strings.HasPrefix(strings.ToLower(c.text("reference")), strings.ToLower(reference[:2]))
	})
}

// filter fails the test if a query returns a customer that does not match, or none although known
// matches. It shows the name of the filter only.
func (a *account) filter(t *testing.T, query string, known customer, matches func(customer) bool) {
	t.Helper()
	name, _, _ := strings.Cut(query, ":")
	r := a.get(t, page(0, sampleSize, "query", query))
	if r.status != http.StatusOK {
		t.Errorf("a filter by %s: status %d", name, r.status)
		return
	}
	list := r.customers(t)
	if i := slices.IndexFunc(list, func(c customer) bool { return !matches(c) }); i >= 0 {
		t.Errorf("a filter by %s returns a customer that does not match", name)
	}
	if len(list) == 0 && matches(known) {
		t.Errorf("a filter by %s returns no customer, although one matches", name)
	}
}

// restoreAfter reads a customer's latch, and restores it at the end of the test.
func (a *account) restoreAfter(t *testing.T, id int64) latch {
	t.Helper()
	before := a.read(t, id).latch(t)
	t.Logf("The latch of customer %d will be restored: contact %d, company %d (0: none).",
		id, before.contact, before.company)
	t.Cleanup(func() {
		r := a.get(t, "/customers/"+strconv.FormatInt(id, 10))
		if r.status == http.StatusOK && r.customer(t).latch(t) == before {
			return
		}
		if r := a.latch(t, id, before); r.status != http.StatusOK {
			t.Errorf("CUSTOMER %d HAS ANOTHER LATCH NOW. It had contact %d and company %d (0: none); restoring them: status %d",
				id, before.contact, before.company, r.status)
		}
	})
	return before
}

// trial returns a latch that the customer may be given: its own, or the contact of the settings.
func (a *account) trial(t *testing.T, own latch) latch {
	t.Helper()
	if own != (latch{}) {
		return own
	}
	if a.contact == 0 {
		t.Skipf("No latch is tried: customer %d has none, and %s names no contact.", a.customer, envContact)
	}
	return latch{contact: a.contact}
}

// checkLatch makes and removes a latch, each twice.
func (a *account) checkLatch(t *testing.T) {
	before := a.restoreAfter(t, a.customer)
	r := a.latch(t, a.customer, latch{contact: noContact, company: before.company})
	a.findings.add("words for a contact that HubSpot does not have", "%q", r.isError(t, http.StatusBadRequest))
	if a.read(t, a.customer).latch(t) != before {
		t.Error("a refused call changed the latch")
	}
	wanted := a.trial(t, before)
	var last reply
	for _, step := range []struct {
		name string
		call func() reply
		want latch
	}{
		{"latch", func() reply { return a.latch(t, a.customer, wanted) }, wanted},
		{"latch again", func() reply { return a.latch(t, a.customer, wanted) }, wanted},
		{"unlatch", func() reply { return a.unlatch(t, a.customer) }, latch{}},
		{"unlatch again", func() reply { return a.unlatch(t, a.customer) }, latch{}},
		{"latch after that", func() reply { return a.latch(t, a.customer, wanted) }, wanted},
		{"latch to nothing", func() reply { return a.latch(t, a.customer, latch{}) }, latch{}},
	} {
		r := step.call()
		if got := r.customer(t).latch(t); got != step.want {
			t.Errorf("%s: the answer has another latch", step.name)
		}
		if step.name == "unlatch" {
			changes := last.customer(t).text("modifiedTimestamp") != r.customer(t).text("modifiedTimestamp")
			a.findings.add(latchModifies, "%s", map[bool]string{true: "changes", false: "stays"}[changes])
		}
		last = r
	}
}
