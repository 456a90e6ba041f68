package fusebillsim

import (
	"bytes"
	"cmp"
	"net/http"
	"slices"
	"strconv"
)

// customers answers GET customers.
func (s *Simulator) customers(c *call) *answer {
	p, err := parseList(c.URL.RawQuery, c.behavior)
	if err != nil {
		return badRequest(err)
	}
	var found page
	if stale := c.fault(FaultStaleList); stale != nil && len(stale.IDs) == 0 {
		found = stale.snapshot.page(p, c.missing())
	} else {
		s.store.view(func(t table) { found = t.page(p, c.missing()) })
	}
	body := bytes.NewBuffer(make([]byte, 0, 2+1500*len(found.rows))) // enough for most pages
	encode := c.entryEncoder()
	body.WriteByte('[')
	for i, r := range found.rows {
		if i > 0 {
			body.WriteByte(',')
		}
		body.Write(encode(r))
	}
	body.WriteByte(']')
	a := newAnswer(http.StatusOK, jsonType, body.Bytes())
	if !c.behavior.OmitPageHeaders {
		found.setHeaders(a.header, p)
	}
	return a
}

// page is a page of a list.
type page struct {
	rows    []*record
	matches int // on all pages
	total   int // without filters
}

// page returns the requested page. It leaves out customers for which missing returns true, and the
// customers after them move up. A nil missing leaves out none.
func (t table) page(p listParameters, missing func(*record) bool) page {
	rows := t.match(p.query)
	if missing != nil {
		rows = slices.DeleteFunc(slices.Clone(rows), missing)
	}
	found := page{matches: len(rows), total: len(t)}
	if p.number > len(rows)/p.size {
		return found
	}
	first := p.number * p.size
	last := min(first+p.size, len(rows))
	found.rows = slices.Clone(p.sort(rows)[first:last])
	return found
}

// match returns the customers that fit q. The result must not be changed.
func (t table) match(q query) table {
	if len(q.filters) == 0 {
		return t
	}
	candidates := t
	if q.ids != nil {
		candidates = t.lookup(q.ids)
	}
	var found table
	for _, r := range candidates {
		if q.matches(&r.Customer) {
			found = append(found, r)
		}
	}
	return found
}

// lookup returns the customers with these sorted IDs.
func (t table) lookup(ids []int64) table {
	found := make(table, 0, len(ids))
	for _, id := range ids {
		if i, ok := t.find(id); ok {
			found = append(found, t[i])
		}
	}
	return found
}

// sort returns the rows in the requested order, which by default is that of the IDs. Rows that
// compare equal stay ordered by ID. It does not change rows.
func (p *listParameters) sort(rows table) table {
	if p.compare == nil {
		return rows
	}
	sorted := slices.Clone(rows)
	slices.SortStableFunc(sorted, func(a, b *record) int {
		if p.descending {
			a, b = b, a
		}
		return p.compare(&a.Customer, &b.Customer)
	})
	return sorted
}

func (found *page) setHeaders(h http.Header, p listParameters) {
	last := max(0, (found.matches-1)/p.size)
	previous, next := -1, -1
	if p.number > 0 {
		previous = p.number - 1
	}
	if p.number < last {
		next = p.number + 1
	}
	h.Set("X-Count", strconv.Itoa(found.matches))
	h.Set("X-MaxCount", strconv.Itoa(found.total))
	h.Set("X-CurrentPage", strconv.Itoa(p.number))
	h.Set("X-PreviousPage", strconv.Itoa(previous))
	h.Set("X-NextPage", strconv.Itoa(next))
	h.Set("X-PageSize", strconv.Itoa(p.size))
	h.Set("X-MaxPageIndex", strconv.Itoa(last))
	h.Set("X-SortOrder", cmp.Or(p.sortOrder, "Ascending"))
	h.Set("X-SortExpression", cmp.Or(p.sortExpression, "id"))
}
