package latch

import (
	"context"
	"slices"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// Two resources that declare one customer, contact or company are refused, whichever is planned second.
func TestDeclare(t *testing.T) {
	t.Parallel()
	k := NewKeeper(nil)
	declare := func(owner string, id int64, l fusebill.Latch) error { return k.Declare(owner, id, l) }
	wantNil(t, declare("a", 1, pair(101, 201)))
	wantNil(t, declare("b", 2, pair(102, 202)))
	for _, test := range []struct {
		owner    string
		customer int64
		latch    fusebill.Latch
		want     DeclaredTwiceError
	}{
		{"c", 1, pair(109, 0), DeclaredTwiceError{CustomerID: 1, Other: 1}},
		{"c", 3, pair(101, 0), DeclaredTwiceError{CustomerID: 3, Claim: fusebill.Claim{Kind: fusebill.Contact, ID: 101}, Other: 1}},
		{"c", 3, pair(109, 202), DeclaredTwiceError{CustomerID: 3, Claim: fusebill.Claim{Kind: fusebill.Company, ID: 202}, Other: 2}},
	} {
		if got := errorAs[*DeclaredTwiceError](t, declare(test.owner, test.customer, test.latch)); *got != test.want {
			t.Errorf("got %+v, want %+v", *got, test.want)
		}
	}
	// A contact and a company of the same number are two things.
	wantNil(t, declare("c", 3, pair(201, 101)))
	// Terraform may plan one instance twice, and what it leaves then is free.
	wantNil(t, declare("a", 1, pair(103, 201)))
	wantNil(t, declare("c", 3, pair(101, 0)))
}

// What a plan claims and others hold is told, less what they are planned to give up.
func TestCheckPlan(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(102, 202), 3: pair(103, 203), 4: pair(104, 0)})
		wantNil(t, r.keeper.Declare("c", 3, pair(103, 209)))
		for name, test := range map[string]struct {
			customer        int64
			prior, declared fusebill.Latch
			want            []Holding
		}{
			"free":                 {1, pair(0, 0), pair(101, 201), nil},
			"held":                 {1, pair(0, 0), pair(102, 202), []Holding{{fusebill.Claim{Kind: fusebill.Contact, ID: 102}, 2}, {fusebill.Claim{Kind: fusebill.Company, ID: 202}, 2}}},
			"planned to be let go": {1, pair(0, 0), pair(103, 203), []Holding{{fusebill.Claim{Kind: fusebill.Contact, ID: 103}, 3}}},
			"its own":              {4, pair(104, 0), pair(104, 202), []Holding{{fusebill.Claim{Kind: fusebill.Company, ID: 202}, 2}}},
			"nothing new":          {4, pair(104, 0), pair(104, 0), nil},
		} {
			got, err := r.keeper.CheckPlan(context.Background(), test.customer, test.prior, test.declared, false)
			if err != nil || !slices.Equal(got, test.want) {
				t.Errorf("%s: got %v, error %v; want %v", name, got, err, test.want)
			}
		}
		r.wantWrites(0)
		if lists := r.sim.Count(fusebillsim.RouteCustomers); lists != 1 {
			t.Errorf("%d lists", lists)
		}
	})
}

// A create that is sure to fail fails at plan time.
func TestCheckPlanOfACreateThatIsSureToFail(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: pair(101, 201)})
		check := func(id int64, declared fusebill.Latch, reassociate bool) error {
			_, err := r.keeper.CheckPlan(context.Background(), id, pair(0, 0), declared, reassociate)
			return err
		}
		if err := check(9, pair(109, 0), false); !fusebill.IsNotFound(err) {
			t.Errorf("no customer: %v", err)
		}
		wantError[*AlreadyLatchedError](t, check(1, pair(109, 0), false))
		wantNil(t, check(1, pair(109, 0), true))
		wantNil(t, check(1, pair(101, 201), false))
	})
}

// A plan doesn't depend on the API: that it can't be asked is told once, and then nothing is checked any more.
func TestCheckPlanWithoutTheAPI(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(102, 0)})
		r.sim.Inject(fusebillsim.Fault{Kind: fusebillsim.FaultStatus500Before, Times: -1})
		if _, err := r.keeper.CheckPlan(context.Background(), 1, pair(0, 0), pair(101, 0), false); err == nil {
			t.Error("no error")
		}
		calls := r.sim.Count()
		if held, err := r.keeper.CheckPlan(context.Background(), 1, pair(0, 0), pair(102, 0), false); err != nil || held != nil {
			t.Errorf("got %v, error %v", held, err)
		}
		if r.sim.Count() != calls {
			t.Error("the API was asked again")
		}
	})
}

// In an account that isn't to be read, only the customer itself is checked.
func TestCheckPlanOfAnUnreadableAccount(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newTrial(t, latches{1: {}, 2: pair(102, 0), 3: pair(103, 0)}, unreadable)
		held, err := r.keeper.CheckPlan(context.Background(), 1, pair(0, 0), pair(102, 0), false)
		if err != nil || held != nil {
			t.Errorf("got %v, error %v", held, err)
		}
		_, err = r.keeper.CheckPlan(context.Background(), 3, pair(0, 0), pair(101, 0), false)
		wantError[*AlreadyLatchedError](t, err)
	})
}
