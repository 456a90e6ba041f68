package fusebillsim

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pageHeaders returns the page headers of an answer, as "name=value", sorted.
func pageHeaders(h http.Header) []string {
	var all []string
	for name, values := range h {
		if strings.HasPrefix(name, "X-") && !strings.HasPrefix(name, "X-Rate-Limit-") {
			all = append(all, name+"="+values[0])
		}
	}
	slices.Sort(all)
	return all
}

func TestPages(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	for id := range int64(7) {
		s.AddCustomers(Customer{ID: 7 - id}) // the order of arrival is not that of the list
	}
	tests := map[string]struct {
		parameters           string
		ids                  []int64
		previous, next, last int
	}{
		"first":             {"pageSize=3", []int64{1, 2, 3}, -1, 1, 2},
		"middle":            {"pageSize=3&pageNumber=1", []int64{4, 5, 6}, 0, 2, 2},
		"last":              {"pageSize=3&pageNumber=2", []int64{7}, 1, -1, 2},
		"beyond":            {"pageSize=3&pageNumber=3", nil, 2, -1, 2},
		"exactly filled":    {"pageSize=7", []int64{1, 2, 3, 4, 5, 6, 7}, -1, -1, 0},
		"beyond filled":     {"pageSize=7&pageNumber=1", nil, 0, -1, 0},
		"defaults":          {"", []int64{1, 2, 3, 4, 5, 6, 7}, -1, -1, 0},
		"names in any case": {"PAGESIZE=3&pagenumber=1", []int64{4, 5, 6}, 0, 2, 2},
		"overflow":          {"pageSize=1000&pageNumber=9223372036854775807", nil, 9223372036854775806, -1, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := get(t, s, "customers?"+test.parameters)
			if diff := cmp.Diff(test.ids, got.ids(t)); diff != "" {
				t.Errorf("IDs (-want +got):\n%s", diff)
			}
			for header, want := range map[string]int{
				"X-Count": 7, "X-MaxCount": 7, "X-MaxPageIndex": test.last,
				"X-PreviousPage": test.previous, "X-NextPage": test.next,
			} {
				if h := got.header.Get(header); h != fmt.Sprint(want) {
					t.Errorf("%s: %s, want %d", header, h, want)
				}
			}
		})
	}
}

func TestPageHeaders(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddCustomers(Customer{ID: 1}, Customer{ID: 2}, Customer{ID: 3, Status: "Draft"})
	path := "customers?query=status:Active&pageSize=1&sortOrder=Descending&sortExpression=lastName"
	want := []string{
		"X-Count=2", "X-Currentpage=0", "X-Maxcount=3", "X-Maxpageindex=1", "X-Nextpage=1", "X-Pagesize=1",
		"X-Previouspage=-1", "X-Sortexpression=lastName", "X-Sortorder=Descending",
	}
	if diff := cmp.Diff(want, pageHeaders(get(t, s, path).header)); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	s.Configure(func(b *Behavior) { b.OmitPageHeaders = true })
	if got := pageHeaders(get(t, s, path).header); len(got) > 0 {
		t.Errorf("headers %v, want none", got)
	}
}

// A client that takes pageSize for granted shows by customers it never sees.
func TestPageSizeIsLowered(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddSampleCustomers(1001)
	if got := get(t, s, "customers?pageSize=5000"); len(got.ids(t)) != 1000 || got.header.Get("X-PageSize") != "1000" {
		t.Errorf("%d customers, X-PageSize %s", len(got.ids(t)), got.header.Get("X-PageSize"))
	}
	s.Configure(func(b *Behavior) { b.MaxPageSize = 10 })
	if got := get(t, s, "customers?pageSize=11"); len(got.ids(t)) != 10 || got.header.Get("X-PageSize") != "10" {
		t.Errorf("%d customers, X-PageSize %s", len(got.ids(t)), got.header.Get("X-PageSize"))
	}
}

func TestEmptyListIsAnArray(t *testing.T) {
	t.Parallel()
	if got := get(t, newTest(t, Config{}), "customers"); got.status != 200 || got.body != "[]" {
		t.Errorf("status %d, body %s", got.status, got.body)
	}
}

func TestSort(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddCustomers(
		Customer{ID: 1, LastName: "B"}, Customer{ID: 2, LastName: "A"},
		Customer{ID: 3, LastName: "B"}, Customer{ID: 4, LastName: "C"})
	for parameters, want := range map[string][]int64{
		"sortOrder=Ascending&sortExpression=lastName":                          {2, 1, 3, 4},
		"sortOrder=descending&sortExpression=LASTNAME":                         {4, 1, 3, 2},
		"sortOrder=Descending&sortExpression=id":                               {4, 3, 2, 1},
		"sortOrder=Ascending&sortExpression=id":                                {1, 2, 3, 4},
		"sortOrder=Descending&sortExpression=id&pageSize=2&pageNumber=1":       {2, 1},
		"sortOrder=Ascending&sortExpression=createdTimestamp&query=id:4,1,3":   {1, 3, 4},
		"sortOrder=Descending&sortExpression=lastName&query=lastName:B":        {1, 3},
		"sortOrder=Descending&sortExpression=lastName&query=id:2,3&pageSize=1": {3},
	} {
		if diff := cmp.Diff(want, get(t, s, "customers?"+parameters).ids(t)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", parameters, diff)
		}
	}
	// The stored order is none of the requests' business.
	if diff := cmp.Diff([]int64{1, 2, 3, 4}, get(t, s, "customers").ids(t)); diff != "" {
		t.Errorf("afterwards (-want +got):\n%s", diff)
	}
}

func TestMalformedParameters(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{Behavior: Behavior{MaxIDSet: 2}})
	for parameters, named := range map[string]string{
		"pageSize=0":                      "pageSize",
		"pageSize=-1":                     "pageSize",
		"pageSize=ten":                    "pageSize",
		"pageSize=1.5":                    "pageSize",
		"pageNumber=-1":                   "pageNumber",
		"pageNumber=99999999999999999999": "pageNumber",
		"pageSize=1&pagesize=2":           "pageSize",
		"sortOrder=Ascending":             "sortExpression",
		"sortExpression=id":               "sortOrder",
		"sortOrder=up&sortExpression=id":  "up",
		"sortOrder=Ascending&sortExpression=hubSpotId": "hubSpotId",
		"query=%zz":                  "%zz",
		"query=id:1,2,3":             "3 IDs",
		"query=hubSpotId:101":        "hubSpotId",
		"query=hubSpotCompanyId:101": "hubSpotCompanyId",
	} {
		got := get(t, s, "customers?"+parameters)
		if text := got.errorText(t); got.status != 400 || !strings.Contains(text, named) {
			t.Errorf("%s: status %d, %q; want %q named", parameters, got.status, text, named)
		}
	}
}

// Clients send a semicolon bare or escaped; net/url alone would lose the former.
func TestQueryInURL(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{})
	s.AddCustomers(Customer{ID: 1, CompanyName: "A&B +C"}, Customer{ID: 2}, Customer{ID: 3, Status: "Draft"})
	for parameters, want := range map[string][]int64{
		"query=id:1,3;status:Draft":                      {3},
		"query=id%3A1%2C3%3Bstatus%3ADraft":              {3},
		"Query=companyName:" + url.QueryEscape("A&B +C"): {1},
		"query=": {1, 2, 3},
		"pageSize=2&query=status:Active&somethingElse=it+does+not+matter": {1, 2},
	} {
		if diff := cmp.Diff(want, get(t, s, "customers?"+parameters).ids(t)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", parameters, diff)
		}
	}
}

func TestIgnoreFilters(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{Behavior: Behavior{IgnoreFilters: true}})
	s.AddCustomers(Customer{ID: 1}, Customer{ID: 2})
	for _, query := range []string{"id:1", "nonsense"} {
		if diff := cmp.Diff([]int64{1, 2}, get(t, s, "customers?query="+query).ids(t)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}
