package fusebillsim

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// listParameters are the parameters of a list call.
type listParameters struct {
	query      query
	number     int                      // of the page, from 0
	size       int                      // of a page
	compare    func(a, b *Customer) int // nil: by ID
	descending bool

	sortOrder, sortExpression string // as they were sent
}

const defaultPageSize = 100

func parseList(rawQuery string, b *Behavior) (listParameters, error) {
	var p listParameters
	values, err := parseParameters(rawQuery)
	if err != nil {
		return p, err
	}
	if p.number, err = intParameter(values, "pageNumber", 0, 0); err != nil {
		return p, err
	}
	if p.size, err = intParameter(values, "pageSize", defaultPageSize, 1); err != nil {
		return p, err
	}
	p.size = min(p.size, b.maxPageSize())
	if err := p.parseSort(values); err != nil {
		return p, err
	}
	if b.IgnoreFilters {
		return p, nil
	}
	text, err := parameter(values, "query")
	if err != nil {
		return p, err
	}
	if p.query, err = parseQuery(text); err != nil {
		return p, err
	}
	for _, f := range p.query.filters {
		if b.MaxIDSet > 0 && len(f.ids) > b.MaxIDSet {
			return p, fmt.Errorf("query: a set of %d IDs is larger than %d", len(f.ids), b.MaxIDSet)
		}
	}
	return p, nil
}

func (p *listParameters) parseSort(values url.Values) error {
	var err error
	if p.sortOrder, err = parameter(values, "sortOrder"); err != nil {
		return err
	}
	if p.sortExpression, err = parameter(values, "sortExpression"); err != nil {
		return err
	}
	if p.sortOrder == "" && p.sortExpression == "" {
		return nil
	}
	if p.sortOrder == "" || p.sortExpression == "" {
		return errors.New("sorting needs both sortOrder and sortExpression")
	}
	p.descending = strings.EqualFold(p.sortOrder, "Descending")
	if !p.descending && !strings.EqualFold(p.sortOrder, "Ascending") {
		return fmt.Errorf("sortOrder: %q is neither Ascending nor Descending", p.sortOrder)
	}
	f, ok := fields[strings.ToLower(p.sortExpression)]
	if !ok {
		return fmt.Errorf("sortExpression: %q is not a valid query name", p.sortExpression)
	}
	if p.descending || !strings.EqualFold(p.sortExpression, "id") {
		p.compare = f.compare // Otherwise the customers are already in that order.
	}
	return nil
}

// parseParameters parses a URL's query. Unlike [url.ParseQuery] it takes a bare
// semicolon as part of a value, as the service does.
func parseParameters(rawQuery string) (url.Values, error) {
	values := make(url.Values)
	for pair := range strings.SplitSeq(rawQuery, "&") {
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil {
			return values, fmt.Errorf("malformed URL: %w", err)
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			return values, fmt.Errorf("malformed URL: %w", err)
		}
		values.Add(name, value)
	}
	return values, nil
}

// parameter returns the value of a URL parameter, whose name may be in any
// letter case, or "" if it is missing.
func parameter(values url.Values, name string) (string, error) {
	var found []string
	for n, v := range values {
		if strings.EqualFold(n, name) {
			found = append(found, v...)
		}
	}
	switch len(found) {
	case 0:
		return "", nil
	case 1:
		return found[0], nil
	default:
		return "", fmt.Errorf("%s is given %d times", name, len(found))
	}
}

func intParameter(values url.Values, name string, missing, least int) (int, error) {
	text, err := parameter(values, name)
	if err != nil {
		return 0, err
	}
	if text == "" {
		return missing, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least {
		return 0, fmt.Errorf("%s: %q is not a valid number", name, text)
	}
	return n, nil
}
