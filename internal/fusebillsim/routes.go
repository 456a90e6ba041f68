package fusebillsim

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Route names a call of the API.
type Route string

// The routes of the simulator. RouteUnknown stands for all others.
const (
	RouteLatch     Route = "POST latchCustomer"
	RouteUnlatch   Route = "POST UnlatchCustomer/{id}"
	RouteCustomer  Route = "GET customers/{id}"
	RouteCustomers Route = "GET customers"
	RouteUpdate    Route = "PUT customers"
	RouteUnknown   Route = "unknown"
)

// basePath precedes every route, in lower case.
const basePath = "/v1/"

// writes reports whether calls of the route change the account.
func (r Route) writes() bool {
	return r == RouteLatch || r == RouteUnlatch || r == RouteUpdate
}

// routeOf returns the route of a request, and the customer ID in its path. As the service does, it
// ignores letter case and one slash at the end.
func routeOf(r *http.Request) (route Route, id string) {
	path := strings.ToLower(r.URL.Path)
	path, ok := strings.CutPrefix(path, basePath)
	if !ok {
		return RouteUnknown, ""
	}
	path = strings.TrimSuffix(path, "/")
	if r.Method == http.MethodPost && path == "hubspot/latchcustomer" {
		return RouteLatch, ""
	}
	if id, ok := cutID(path, "hubspot/unlatchcustomer/"); ok && r.Method == http.MethodPost {
		return RouteUnlatch, id
	}
	if id, ok := cutID(path, "customers/"); ok && r.Method == http.MethodGet {
		return RouteCustomer, id
	}
	if r.Method == http.MethodGet && path == "customers" {
		return RouteCustomers, ""
	}
	if r.Method == http.MethodPut && path == "customers" {
		return RouteUpdate, ""
	}
	return RouteUnknown, ""
}

// cutID returns what follows prefix if that is a single path segment.
func cutID(path, prefix string) (id string, ok bool) {
	id, ok = strings.CutPrefix(path, prefix)
	return id, ok && id != "" && !strings.Contains(id, "/")
}

// customer answers GET customers/{id}.
func (s *Simulator) customer(c *call) *answer {
	id, err := parsePathID(c.pathID)
	if err != nil {
		return badRequest(err)
	}
	r, ok := s.store.get(id)
	if !ok {
		return noSuchCustomer(c.behavior, id)
	}
	return newAnswer(http.StatusOK, jsonType, r.encode(formatFor(c.behavior, false)))
}

// parsePathID parses the customer ID of a path.
func parsePathID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a customer ID", text)
	}
	return id, nil
}
