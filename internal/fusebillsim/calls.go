package fusebillsim

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Request is one request that the simulator received.
type Request struct {
	Time     time.Time // of arrival
	Route    Route
	Method   string
	Scheme   string // "http" or "https"
	Host     string
	Path     string
	RawQuery string
	Body     string
	HasKey   bool // It had the right API key.
	Status   int  // of the answer; 0 without one

	pathID string
}

// Query returns the parameters of the request's URL, named as they were sent.
func (r Request) Query() url.Values {
	query, _ := parseParameters(r.RawQuery) // A malformed query was answered with 400.
	return query
}

// CustomerIDs returns the customers that the request names: in its path, in its
// body, or as an ID set in its filters, ordered by ID. Nil means none.
func (r Request) CustomerIDs() []int64 {
	switch r.Route {
	case RouteLatch:
		if l, err := parseLatch([]byte(r.Body)); err == nil {
			return []int64{l.customer}
		}
	case RouteUpdate:
		if c, err := parseUpdate([]byte(r.Body)); err == nil {
			return []int64{c.ID}
		}
	case RouteUnlatch, RouteCustomer:
		if id, err := parsePathID(r.pathID); err == nil {
			return []int64{id}
		}
	case RouteCustomers:
		filters, _ := parameter(r.Query(), "query")
		if q, err := parseQuery(filters); err == nil {
			return q.ids
		}
	}
	return nil
}

// Calls returns the number of requests of each route that arrived, with any outcome.
func (s *Simulator) Calls() map[Route]int {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	return maps.Clone(s.calls.count)
}

// Count returns the number of requests of the given routes that arrived, or without routes the
// number of all requests.
func (s *Simulator) Count(routes ...Route) int {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	sum := 0
	for route, n := range s.calls.count {
		if len(routes) == 0 || slices.Contains(routes, route) {
			sum += n
		}
	}
	return sum
}

// Writes returns the number of latch and unlatch requests that arrived.
func (s *Simulator) Writes() int {
	return s.Count(RouteLatch, RouteUnlatch)
}

// RateLimited returns the number of requests that the rate limits refused. An injected 429 does not
// count.
func (s *Simulator) RateLimited() int {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	return s.calls.rateLimited
}

// Requests returns the requests in the order in which they arrived, or nil if
// the simulator was made to discard them.
func (s *Simulator) Requests() []Request {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	var all []Request
	for _, r := range s.calls.requests {
		all = append(all, *r)
	}
	return all
}

// ResetCalls sets all counters to zero and forgets all requests. The rate limit
// windows go on.
func (s *Simulator) ResetCalls() {
	s.calls.mu.Lock()
	defer s.calls.mu.Unlock()
	clear(s.calls.count)
	s.calls.rateLimited = 0
	s.calls.requests = nil
}

// calls counts and records requests.
type calls struct {
	record bool // requests are recorded

	mu          sync.Mutex
	count       map[Route]int
	rateLimited int
	requests    []*Request
}

func (cs *calls) init(record bool) {
	cs.record = record
	cs.count = make(map[Route]int)
}

// add counts a call. It returns the call's entry, or nil if none is kept.
func (cs *calls) add(c *call, hasKey bool) *Request {
	var entry *Request
	if cs.record {
		entry = &Request{
			Time:     time.Now(),
			Route:    c.route,
			Method:   c.Method,
			Scheme:   scheme(c.Request),
			Host:     host(c.Request),
			Path:     c.URL.Path,
			RawQuery: c.URL.RawQuery,
			Body:     string(c.body),
			HasKey:   hasKey,
			pathID:   c.pathID,
		}
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.count[c.route]++
	if entry != nil {
		cs.requests = append(cs.requests, entry)
	}
	return entry
}

func (cs *calls) setStatus(entry *Request, status int) {
	if entry == nil {
		return
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	entry.Status = status
}

func (cs *calls) addRateLimited() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.rateLimited++
}

// scheme and host serve requests of both kinds: those that a server received,
// and those that a client handed to [Simulator.Transport].

func scheme(r *http.Request) string {
	if r.TLS != nil || strings.EqualFold(r.URL.Scheme, "https") {
		return "https"
	}
	return "http"
}

func host(r *http.Request) string {
	if r.Host != "" {
		return r.Host
	}
	return r.URL.Host
}
