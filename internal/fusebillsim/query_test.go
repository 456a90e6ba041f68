package fusebillsim

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func queryTable() table {
	day := func(d int) time.Time { return time.Date(2026, time.January, d, 12, 0, 0, 0, time.UTC) }
	var all table
	for _, c := range []Customer{
		{
			ID: 1, FirstName: "Ada", LastName: "Doe", CompanyName: "Acme, Inc.", Status: "Active", Reference: "R-1",
			PrimaryPhone: "5556780987", Title: "Dr", MonthlyRevenueCents: 1000, Created: day(1), Modified: day(1),
		}, {
			ID: 2, FirstName: "ada", CompanyName: "Acme | Sons", Status: "Draft", PrimaryEmail: "a@b.example",
			PrimaryPhone: "4555671234", QuickBooksID: 78, MonthlyRevenueCents: 5000, Created: day(1), Modified: day(2),
		}, {
			ID: 30, CompanyName: "a*b", Status: "Hold", Title: "Mr", MonthlyRevenueCents: 5001,
			QuickBooksID: 9007199254740993, Created: day(2), Modified: day(3),
		},
		{ID: 9007199254740993, Status: "Cancelled", Reference: "r-1", Created: day(3), Modified: day(3)},
	} {
		all = append(all, &record{Customer: c})
	}
	return all
}

func (t table) ids() []int64 {
	var ids []int64
	for _, r := range t {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestQuery(t *testing.T) {
	t.Parallel()
	const big = 9007199254740993
	for text, want := range map[string][]int64{
		"":                              {1, 2, 30, big},
		";":                             {1, 2, 30, big},
		"id:2":                          {2},
		"ID:30, 1 ,30,5":                {1, 30},
		"id:9007199254740992":           nil,
		"id:9007199254740993":           {big},
		"id:2|30":                       {2, 30},
		"id:30|":                        {30, big},
		"id:|2":                         {1, 2},
		"id:1,2;id:2,30":                {2},
		"status:Active":                 {1},
		"status:active,DRAFT":           {1, 2},
		"id:1,30;status:Active,Hold":    {1, 30},
		" id : 1,30 ; status:Hold ;":    {30},
		"reference:R-1":                 {1},
		"reference:[empty]":             {2, 30},
		"reference:*":                   {1, 2, 30, big},
		"reference:*-1":                 {1, big},
		"firstName:Ada":                 {1},
		"lastName:D*e":                  {1},
		"lastName:D*oe":                 {1},
		"lastName:Do*oe":                nil,
		"companyName:Acme, Inc.":        {1},
		"companyName:Acme | Sons":       {2},
		"companyName:*c*e*":             {1, 2},
		"companyName:*,*":               {1},
		"primaryEmail:a@*":              {2},
		"quickBooksId:78":               {2},
		"quickBooksId:[empty]":          {1, big},
		"quickBooksId:9007199254740993": {30},
		"quickBooksId:|80":              {2},
		"createdTimestamp:2026-01-02|":  {30, big},
		"modifiedTimestamp:|2026-01-02": {1},
		"modifiedTimestamp:2026-01-02|2026-01-03":                         {2},
		"modifiedTimestamp:2026-01-02T12:00:00Z":                          {2},
		"modifiedTimestamp:2026-01-02T12:00:00.0000001Z|":                 {30, big},
		"modifiedTimestamp:2026-01-02T13:00:00+01:00|2026-01-02T12:00:00": nil,
		"modifiedTimestamp:2026-01-01T12:00:00|2026-01-02T12:00:00":       {1},
		"createdTimestamp:|":                                              {1, 2, 30, big},
		"id:|":                                                            {1, 2, 30, big},
		"monthlyRecurringRevenue:10|50":                                   {1, 2},
		"monthlyRecurringRevenue:|10.00":                                  {1, big},
		"monthlyRecurringRevenue:50.01|":                                  {30},
		"monthlyRecurringRevenue:50.00":                                   {2},
		"primaryPhone:555*":                                               {1},
		"primaryPhone:*555*":                                              {1, 2},
		"title:dr,Mr":                                                     {1, 30},
		"quickBooksId:77,78":                                              {2},
	} {
		q, err := parseQuery(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, queryTable().match(q).ids()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}

func TestMalformedQuery(t *testing.T) {
	t.Parallel()
	for text, named := range map[string]string{
		"shoeSize:1":                  "shoeSize",
		"status":                      "status",
		"status:Bogus":                "Bogus",
		"status:":                     "status",
		"status:Active,":              "status",
		"id:":                         "id",
		"id:1,,2":                     "id",
		"id:one":                      "one",
		"id:9223372036854775808":      "9223372036854775808",
		"id:1|x":                      "x",
		"id:1,2|3":                    "1,2",
		"reference:":                  "[empty]",
		"modifiedTimestamp:yesterday": "yesterday",
		"monthlyRecurringRevenue:":    "monthlyRecurringRevenue",
		"monthlyRecurringRevenue:NaN": "NaN",
		"title:Sir":                   "Sir",
		"modifiedTimestamp:":          "modifiedTimestamp",
	} {
		_, err := parseQuery(text)
		if err == nil || !strings.Contains(err.Error(), named) {
			t.Errorf("%q: error %v, want one that names %q", text, err, named)
		}
	}
}

// A semicolon means "and": two queries joined by one parse if and only if both
// do, and match just what both match. Looking IDs up gives what trying every
// customer gives.
func FuzzParseQuery(f *testing.F) {
	f.Add("id:1,2,30", "status:Active,Draft")
	f.Add("id:|30", "companyName:*c*e*")
	f.Add("reference:[empty]", "modifiedTimestamp:2026-01-02|")
	f.Add("id:1", "id:2")
	f.Add("", ";;")
	f.Fuzz(func(t *testing.T, a, b string) {
		qa, errA := parseQuery(a)
		qb, errB := parseQuery(b)
		both, err := parseQuery(a + ";" + b)
		if (err == nil) != (errA == nil && errB == nil) {
			t.Fatalf("%q: %v, %q: %v, but joined: %v", a, errA, b, errB, err)
		}
		if err != nil {
			return
		}
		var want []int64
		for _, r := range queryTable() {
			if qa.matches(&r.Customer) && qb.matches(&r.Customer) {
				want = append(want, r.ID)
			}
		}
		if got := queryTable().match(both).ids(); !slices.Equal(got, want) {
			t.Fatalf("%q and %q match %v, want %v", a, b, got, want)
		}
	})
}
