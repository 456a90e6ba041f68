package fusebill

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

func TestLatchString(t *testing.T) {
	t.Parallel()
	for latch, want := range map[Latch]string{
		{}:                      "nothing",
		{HubSpotID: 101}:        "contact 101",
		{HubSpotCompanyID: 202}: "company 202",
		{HubSpotID: 9223372036854775807, HubSpotCompanyID: 202}: "contact 9223372036854775807 and company 202",
	} {
		if got := latch.String(); got != want || latch.IsZero() != (want == "nothing") {
			t.Errorf("got %q, zero %v; want %q", got, latch.IsZero(), want)
		}
	}
}

func TestLatchAndUnlatch(t *testing.T) {
	t.Parallel()
	sim := newSim(simConfig{})
	client := newSimClient(t, sim)
	for _, latch := range []Latch{
		{HubSpotID: 9007199254740993, HubSpotCompanyID: 9223372036854775807},
		{HubSpotID: 9007199254740993},
		{HubSpotCompanyID: 5},
		{},
		{HubSpotID: 6},
	} {
		customer, err := client.Latch(t.Context(), 2, latch)
		if err != nil || customer.ID != 2 || *customer.Latch != latch {
			t.Fatalf("%s: got %+v, error %v", latch, customer, err)
		}
		if held, _ := sim.Customer(2); held.HubSpotID != latch.HubSpotID ||
			held.HubSpotCompanyID != latch.HubSpotCompanyID {
			t.Errorf("%s: the service has %+v", latch, held)
		}
	}
	customer, err := client.Unlatch(t.Context(), 2)
	if err != nil || !customer.Latch.IsZero() {
		t.Errorf("got %+v, error %v", customer, err)
	}
	if held, _ := sim.Customer(2); held.HubSpotID != 0 {
		t.Errorf("the service has %+v", held)
	}
}

// The client returns the service's answer, never the request.
func TestLatchReturnsTheAnswer(t *testing.T) {
	t.Parallel()
	sim := newSim(simConfig{})
	sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultDifferentAnswer})
	customer, err := newSimClient(t, sim).Latch(t.Context(), 2, Latch{HubSpotID: 10, HubSpotCompanyID: 20})
	if err != nil || *customer.Latch != (Latch{HubSpotID: 11, HubSpotCompanyID: 21}) {
		t.Errorf("got %v, error %v", customer.Latch, err)
	}
}

func TestLatchConflicts(t *testing.T) {
	t.Parallel()
	for mode, status := range map[fusebillsim.ConflictMode]int{
		fusebillsim.ConflictStatus409: 409, fusebillsim.ConflictStatus400: 400, fusebillsim.ConflictMoves: 0,
	} {
		sim := newSim(simConfig{Behavior: fusebillsim.Behavior{Conflict: mode}})
		_, err := newSimClient(t, sim).Latch(t.Context(), 2, Latch{HubSpotID: 101})
		var apiErr *APIError
		switch {
		case status == 0 && err != nil:
			t.Errorf("moving: error %v", err)
		case status != 0 && (!errors.As(err, &apiErr) || apiErr.StatusCode != status || isOutcomeUnknown(err) ||
			sim.Writes() != 1):
			t.Errorf("%d: got %v after %d writes", status, err, sim.Writes())
		}
	}
}

// A latch that was done is known to be done, whatever the texts of the answer look like.
func TestLatchToleratesOddTexts(t *testing.T) {
	t.Parallel()
	client := newTestClient(t, answering(200, `{"id":7,"hubSpotId":1,"hubSpotCompanyId":null,
		"reference":1337,"lastName":{},"companyName":false,"status":null,"modifiedTimestamp":[]}`))
	got, err := client.Latch(t.Context(), 7, Latch{HubSpotID: 1})
	want := Customer{ID: 7, Reference: "1337", CompanyName: "false", Latch: &Latch{HubSpotID: 1}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("error %v, %s", err, diff)
	}
}
