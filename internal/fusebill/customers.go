package fusebill

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// MaxPageSize is the largest page size that every service accepts. The API reference promises at
// least 1,000.
const MaxPageSize = 1000

// CustomersRequest chooses one page of the list of customers.
type CustomersRequest struct {
	IDs        []int64 // only these customers, whatever the filter; empty: all that match the filter
	Filter     Filter  // the service may answer with other customers besides
	PageNumber int     // from 0
	PageSize   int     // 0: MaxPageSize
}

// CustomersPage is one page of the list. Customers may be created and deleted while pages are read,
// so a customer that is on no page may still exist.
type CustomersPage struct {
	// Customers are the entries that have an ID. The Latch of an entry is nil if the entry lacks a
	// HubSpot ID or has one that cannot be read. Such a customer has to be read individually.
	Customers []Customer
	// Unreadable counts the entries without an ID that can be read. They may be any customers of
	// the account.
	Unreadable int
	// Last reports whether no page follows.
	Last bool
	// AccountSize is the number of customers of the whole account, -1 if the service did not report
	// it.
	AccountSize int
}

// Customers reads one page of the list of customers. Without IDs, the list begins with the oldest
// customer. So a customer that is created while pages are read is on the last page, and does not
// move other customers to other pages.
func (c *Client) Customers(ctx context.Context, request CustomersRequest) (CustomersPage, error) {
	size := request.PageSize
	if size == 0 {
		size = MaxPageSize
	}
	query := url.Values{
		"pageNumber": {strconv.Itoa(request.PageNumber)},
		"pageSize":   {strconv.Itoa(size)},
	}
	if len(request.IDs) > 0 {
		query.Set("query", "id:"+joinIDs(request.IDs))
	} else {
		query.Set("sortExpression", "createdTimestamp")
		query.Set("sortOrder", "Ascending")
		if filter := request.Filter.query(); filter != "" {
			query.Set("query", filter)
		}
	}
	var page CustomersPage
	decode := func(body []byte) (err error) {
		page.Customers, page.Unreadable, err = decodeCustomers(body, c.mask)
		return err
	}
	header, err := c.do(ctx, call{method: http.MethodGet, path: "customers", query: query, decode: decode, list: true})
	if err != nil {
		return CustomersPage{}, err
	}
	page.Last = isLastPage(header, len(page.Customers)+page.Unreadable, size)
	page.AccountSize = headerInt(header, "X-MaxCount", -1)
	return page, nil
}

// isLastPage reports whether a page is the last one. The headers decide if there are any; otherwise
// a page with fewer entries than requested is the last one. An empty page always is, because
// reading with a wrong header would never end.
func isLastPage(header http.Header, got, size int) bool {
	if got == 0 {
		return true
	}
	if next := headerInt(header, "X-NextPage", 0); next != 0 {
		return next < 0
	}
	return got < min(size, headerInt(header, "X-PageSize", size))
}

// headerInt returns the number in a header, or fallback if the header is absent or malformed.
func headerInt(header http.Header, name string, fallback int) int {
	if n, err := strconv.Atoi(strings.TrimSpace(header.Get(name))); err == nil {
		return n
	}
	return fallback
}

func joinIDs(ids []int64) string {
	var list strings.Builder
	for i, id := range ids {
		if i > 0 {
			list.WriteByte(',')
		}
		list.WriteString(strconv.FormatInt(id, 10))
	}
	return list.String()
}
