package fusebill

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The promises tested here: a filter chooses what it says, whatever characters are in its values;
// what is sent may choose more, never less.

func TestFilterQuery(t *testing.T) {
	t.Parallel()
	for want, filter := range map[string]Filter{
		"":                                       {},
		"status:Active,Draft":                    {Statuses: []string{"Active", "Draft"}},
		"reference:C-1":                          {Reference: "C-1"},
		"companyName:Stolen Bikes":               {CompanyName: "Stolen Bikes"},
		"primaryEmail:a+b@example.com":           {PrimaryEmail: "a+b@example.com"},
		"modifiedTimestamp:2026-01-31T23:59:58|": {ModifiedSince: time.Date(2026, 1, 31, 23, 59, 58, 999, time.UTC)},
		"modifiedTimestamp:2026-02-01T00:59:00|": {ModifiedSince: time.Date(2026, 1, 31, 23, 59, 0, 0,
			time.FixedZone("", -3600))},
		"reference:a*b*status*Active*c**d": {Reference: "a*b;status:Active,c||d"},
		"reference:*empty*":                {Reference: "[empty]"},
		"reference:*":                      {Reference: "\t "},
		"reference:*x*":                    {Reference: " x\n"},
		"status:Hold;reference:1;companyName:2;primaryEmail:3;modifiedTimestamp:2026-01-31T00:00:00|": {
			Statuses: []string{"Hold"}, Reference: "1", CompanyName: "2", PrimaryEmail: "3",
			ModifiedSince: time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC),
		},
	} {
		if got := filter.query(); got != want {
			t.Errorf("%+v: got %q, want %q", filter, got, want)
		}
	}
}

// Every filter is sent, and what comes back is looked through.
func TestFilterChooses(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 1, n, 12, 0, 0, 0, time.UTC) }
	sim := fusebillsim.New(fusebillsim.Config{APIKey: testKey})
	sim.AddCustomers(
		fusebillsim.Customer{ID: 1, Reference: "a;b", CompanyName: "Bikes, Ltd.", Status: "Draft", Modified: day(1)},
		fusebillsim.Customer{ID: 2, Reference: "axb", CompanyName: "Bikes* Ltd.", PrimaryEmail: "a@b.c",
			Modified: day(2)},
		fusebillsim.Customer{ID: 3, Reference: "[empty]", CompanyName: "Bikes, Ltd.", Modified: day(3)},
		fusebillsim.Customer{ID: 4, Reference: "a;b;status:Draft", Status: "Hold", Modified: day(4)},
		fusebillsim.Customer{ID: 5, Reference: " a;b", PrimaryEmail: "A@b.c", Status: "Hold", Modified: day(5)},
	)
	client := newSimClient(t, sim)
	for name, c := range map[string]struct {
		filter Filter
		want   []int64
	}{
		"everyone":             {Filter{}, []int64{1, 2, 3, 4, 5}},
		"a semicolon":          {Filter{Reference: "a;b"}, []int64{1}},
		"a star":               {Filter{Reference: "a*b"}, nil},
		"a star that is there": {Filter{CompanyName: "Bikes* Ltd."}, []int64{2}},
		"the word for nothing": {Filter{Reference: "[empty]"}, []int64{3}},
		"another filter in it": {Filter{Reference: "a;b;status:Draft"}, []int64{4}},
		"white space":          {Filter{Reference: " a;b"}, []int64{5}},
		"letter case":          {Filter{PrimaryEmail: "a@b.c"}, []int64{2}},
		"status":               {Filter{Statuses: []string{"Draft", "Hold"}}, []int64{1, 4, 5}},
		"two":                  {Filter{CompanyName: "Bikes, Ltd.", Statuses: []string{"Active"}}, []int64{3}},
		"time":                 {Filter{ModifiedSince: day(4)}, []int64{4, 5}},
		"a second later":       {Filter{ModifiedSince: day(4).Add(time.Second)}, []int64{5}},
	} {
		page, err := client.Customers(t.Context(), CustomersRequest{Filter: c.filter})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got []int64
		for _, customer := range page.Customers {
			if c.filter.Matches(customer) {
				got = append(got, customer.ID)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// FuzzFilter looks for a customer by anything that it may be called, among others, through the
// simulator's own reading of queries.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{"C-1", "a;b", "reference:*", "[empty]", "*", " x ", "1|2", "a,b", "\x00\n", "käse",
		"status:Draft;", `"\`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "?")
		if strings.TrimSpace(text) == "" {
			return
		}
		sim := fusebillsim.New(fusebillsim.Config{APIKey: testKey})
		sim.AddCustomers(fusebillsim.Customer{ID: 1, Reference: text},
			fusebillsim.Customer{ID: 2, Reference: text + "x"}, fusebillsim.Customer{ID: 3})
		filter := Filter{Reference: text}
		page, err := newSimClient(t, sim).Customers(t.Context(), CustomersRequest{Filter: filter})
		if err != nil {
			t.Fatal(err)
		}
		got := slices.DeleteFunc(page.Customers, func(c Customer) bool { return !filter.Matches(c) })
		if len(got) != 1 || got[0].ID != 1 {
			t.Errorf("%q: got %+v", text, got)
		}
	})
}
