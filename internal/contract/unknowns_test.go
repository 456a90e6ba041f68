package contract

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// checkConflict makes another customer claim what the first one holds. Both are test customers,
// since the claim may succeed.
func (a *account) checkConflict(t *testing.T) {
	if a.other == 0 {
		t.Skipf("No conflict is tried: %s is not set.", envOther)
	}
	held := a.trial(t, a.restoreAfter(t, a.customer))
	a.restoreAfter(t, a.other) // Restored first, so what it may have taken is free again.
	a.latch(t, a.customer, held).customer(t)
	r := a.latch(t, a.other, held)
	now := a.read(t, a.customer).latch(t)
	if r.status == http.StatusOK {
		a.findings.add(conflict, "%s", map[bool]string{true: "both hold it", false: "taken from its holder"}[now == held])
		return
	}
	form, words := r.errorForm()
	a.findings.add(conflict, "refused with %d", r.status)
	a.findings.add("words for a claimed contact", "%q in %s", words, form)
	if now != held {
		t.Error("a refused claim changed the latch of the holder")
	}
}

// checkUpdate writes the customer back without its HubSpot keys, as other integrations may do.
func (a *account) checkUpdate(t *testing.T) {
	if !a.update {
		t.Skipf("PUT customers is not tried: %s is not set.", envUpdate)
	}
	held := a.trial(t, a.restoreAfter(t, a.customer))
	before := a.latch(t, a.customer, held).customer(t)
	body := maps.Clone(before)
	delete(body, "hubSpotId")
	delete(body, "hubSpotCompanyId")
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	a.send(t, a.pacer, http.MethodPut, "/customers", string(encoded)).customer(t)

	after := a.read(t, a.customer)
	a.findings.add(updateLatch, "%s", map[bool]string{true: "kept", false: "removed"}[after.latch(t) == held])
	var others []string
	for _, key := range slices.Sorted(maps.Keys(before)) {
		if string(after[key]) != string(before[key]) && key != "modifiedTimestamp" && !strings.HasPrefix(key, "hubSpot") {
			others = append(others, key)
		}
	}
	a.findings.add("other keys that PUT customers changed", "%d: %s", len(others), strings.Join(others, ", "))
}

// checkMergedContact latches the customer to a contact that was merged into another one.
func (a *account) checkMergedContact(t *testing.T) {
	if a.mergedContact == 0 {
		t.Skipf("No merged contact is tried: %s is not set.", envMergedContact)
	}
	a.restoreAfter(t, a.customer)
	r := a.latch(t, a.customer, latch{contact: a.mergedContact})
	if r.status != http.StatusOK {
		_, words := r.errorForm()
		a.findings.add(mergedContact, "refused with %d", r.status)
		a.findings.add("words for a merged contact", "%q", words)
		return
	}
	answered, read := r.customer(t).latch(t).contact, a.read(t, a.customer).latch(t).contact
	describe := map[bool]string{true: "the old ID", false: "another ID"}
	a.findings.add(mergedContact, "answered with %s, then read with %s",
		describe[answered == a.mergedContact], describe[read == a.mergedContact])
}

// checkRateLimit uses up what is left of the minute. It comes last.
func (a *account) checkRateLimit(t *testing.T) {
	if a.spend == 0 {
		t.Skipf("No 429 is provoked: %s is not set.", envUseUpMinute)
	}
	for range a.spend {
		r := a.send(t, a.pacer.base, http.MethodGet, page(0, 1), "") // The pacer would wait for the next minute.
		a.pacer.calls.Add(1)
		if r.status != http.StatusTooManyRequests {
			continue
		}
		until := time.Now().Add(time.Minute)
		a.pacer.until.Store(&until)
		value := r.header.Get("Retry-After")
		switch {
		case value == "":
			a.findings.add(retryAfter, "absent")
		case digit.ReplaceAllString(value, "") == "":
			a.findings.add(retryAfter, "seconds")
		default:
			a.findings.add(retryAfter, "%q", pattern(value))
		}
		form, words := r.errorForm()
		a.findings.add("words for a 429", "%q in %s", words, form)
		return
	}
	a.findings.add(retryAfter, "%s: %d calls used up no minute; a sandbox has fewer", notTried, a.spend)
}
