package fusebillsim

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// PUT customers sets what its body leaves out to null, the latch as well where the switch is off.
func TestUpdate(t *testing.T) {
	t.Parallel()
	const conflict = `{"id":1,"hubSpotId":21}`
	tests := map[string]struct {
		behavior Behavior
		body     string
		status   int
		want     holder // customer 1, which starts with contact 11 and company 12
	}{
		"partial":           {Behavior{}, `{"id":1,"firstName":"Ada"}`, 200, holder{1, 0, 0}},
		"partial, kept":     {Behavior{UpdateKeepsLatch: true}, `{"id":1,"firstName":"Ada"}`, 200, holder{1, 11, 12}},
		"with a latch":      {Behavior{}, `{"id":1,"firstName":"Ada","hubSpotId":"101","HubSpotCompanyId":null}`, 200, holder{1, 101, 0}},
		"latch, kept":       {Behavior{UpdateKeepsLatch: true}, `{"id":1,"firstName":"Ada","hubSpotId":101}`, 200, holder{1, 11, 12}},
		"held":              {Behavior{}, conflict, 409, holder{1, 11, 12}},
		"held, 400":         {Behavior{Conflict: ConflictStatus400}, conflict, 400, holder{1, 11, 12}},
		"held, kept":        {Behavior{UpdateKeepsLatch: true}, `{"id":1,"firstName":"Ada","hubSpotId":21}`, 200, holder{1, 11, 12}},
		"without an ID":     {Behavior{}, `{"firstName":"Ada"}`, 400, holder{1, 11, 12}},
		"malformed ID":      {Behavior{}, `{"id":{}}`, 400, holder{1, 11, 12}},
		"malformed text":    {Behavior{}, `{"id":1,"firstName":[]}`, 400, holder{1, 11, 12}},
		"unknown customer":  {Behavior{}, `{"id":3}`, 404, holder{1, 11, 12}},
		"other keys":        {Behavior{}, `{"id":1,"firstName":"Ada","currency":"USD","customerAcquisition":{}}`, 200, holder{1, 0, 0}},
		"a number for text": {Behavior{}, `{"id":1,"firstName":"Ada","reference":1337}`, 200, holder{1, 0, 0}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTest(t, Config{Behavior: test.behavior})
			s.AddCustomers(
				Customer{ID: 1, HubSpotID: 11, HubSpotCompanyID: 12, LastName: "Doe", Reference: "R", Status: "Hold"},
				Customer{ID: 2, HubSpotID: 21},
			)
			before, _ := s.Customer(1)
			if got := put(t, s, test.body); got.status != test.status {
				t.Errorf("status %d, want %d: %s", got.status, test.status, got.body)
			}
			checkLatches(t, s, test.want, holder{2, 21, 0})
			after, _ := s.Customer(1)
			switch {
			case test.status != 200 && after != before:
				t.Errorf("a refused call changed %+v", after)
			case test.status != 200:
			case after.FirstName != "Ada" || after.LastName != "" || after.Status != "Hold" || after.Created != before.Created:
				t.Errorf("got %+v", after)
			}
		})
	}
}

// A client that reads a customer and writes it back changes nothing.
func TestUpdateWithTheWholeObject(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	c := sampleCustomer(firstSampleID)
	c.HubSpotID, c.QuickBooksID, c.PrimaryPhone, c.Title = 11, 5, "555", "Mr"
	s.AddCustomers(c)
	before, _ := s.Customer(c.ID)
	if got := put(t, s, get(t, s, "customers/2500000").body); got.status != 200 {
		t.Errorf("status %d: %s", got.status, got.body)
	}
	after, _ := s.Customer(c.ID)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	if ids := s.Requests()[1].CustomerIDs(); !cmp.Equal(ids, []int64{c.ID}) {
		t.Errorf("the request names %v", ids)
	}
}

func TestLatchKeepsModified(t *testing.T) {
	t.Parallel()
	for _, keeps := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := newTest(t, Config{Behavior: Behavior{Conflict: ConflictMoves, LatchKeepsModified: keeps}})
			s.AddCustomers(Customer{ID: 1, HubSpotID: 101}, Customer{ID: 2}, Customer{ID: 3}, Customer{ID: 4, HubSpotID: 104})
			start := time.Now().UTC()
			time.Sleep(time.Second)
			post(t, s, latchPath, `{"fusebillId":2,"hubSpotId":101}`) // takes the contact from 1
			post(t, s, "HubSpot/UnlatchCustomer/4", "")
			s.SetLatch(3, 103, 0)
			for _, c := range s.Customers() {
				if kept := c.Modified.Equal(start); kept != keeps {
					t.Errorf("customer %d: modified %v", c.ID, c.Modified)
				}
			}
			put(t, s, `{"id":1,"firstName":"Ada"}`)
			if c, _ := s.Customer(1); c.Modified.Equal(start) {
				t.Error("an update kept modifiedTimestamp")
			}
		})
	}
}
