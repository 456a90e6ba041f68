package fusebillsim

import (
	"fmt"
	"strings"
)

// query has the filters of a list call. A customer must match all of them.
type query struct {
	filters []filter
	ids     []int64 // an ID set among the filters, sorted; nil: there is none
}

// filter is one name:value pair of a query.
type filter struct {
	matches func(*Customer) bool
	ids     []int64 // sorted, if the value is a set of IDs
}

// parseQuery reads name:value pairs joined by semicolons.
func parseQuery(text string) (query, error) {
	var q query
	for pair := range strings.SplitSeq(text, ";") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, ":")
		if !ok {
			return query{}, fmt.Errorf("query: %q is not of the form name:value", pair)
		}
		name = strings.TrimSpace(name)
		field, ok := fields[strings.ToLower(name)]
		if !ok {
			return query{}, fmt.Errorf("query: %q is not a valid query name", name)
		}
		f, err := field.parse(value)
		if err != nil {
			return query{}, fmt.Errorf("query: %s: %w", name, err)
		}
		q.filters = append(q.filters, f)
		if strings.EqualFold(name, "id") && f.ids != nil {
			q.ids = f.ids
		}
	}
	return q, nil
}

func (q *query) matches(c *Customer) bool {
	for _, f := range q.filters {
		if !f.matches(c) {
			return false
		}
	}
	return true
}
