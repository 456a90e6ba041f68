package fusebillsim

// FaultKind is a kind of failure of a call.
type FaultKind int

// The kinds of faults. Unless its comment says otherwise, a fault spoils the
// answer to a call that was handled, whose change was made, and which counts
// toward the rate limits. It spoils a refusal of the service's own too.
const (
	// FaultNone is no fault. It is for an injection that has only a hook.
	FaultNone FaultKind = iota

	// FaultStatus500Before answers 500 in place of handling the call.
	FaultStatus500Before
	// FaultStatus500After handles the call and answers 500.
	FaultStatus500After
	// FaultDropBefore drops the connection in place of handling the call. On a kept connection
	// [http.Transport] then repeats a GET on its own, so the code under test may see no error;
	// [Simulator.Transport] does not.
	FaultDropBefore
	// FaultDropAfter handles the call and drops the connection.
	FaultDropAfter
	// FaultLatencyBefore waits for Fault.Latency before the call is handled: a call that is
	// cancelled meanwhile makes no change, unless Behavior.AbandonedWriteDelay is set.
	FaultLatencyBefore
	// FaultLatencyAfter waits for Fault.Latency before the answer, as
	// Behavior.Latency does: a call that is cancelled meanwhile has made its
	// change, and what it read may be out of date once it answers.
	FaultLatencyAfter
	// FaultSlowDrip sends the body in pieces of 256 bytes, each after
	// Fault.Latency.
	FaultSlowDrip

	// FaultTruncatedBody announces the whole body, sends half of it and drops
	// the connection.
	FaultTruncatedBody
	// FaultTruncatedJSON answers with half of the body and a matching length.
	FaultTruncatedJSON
	// FaultEmptyBody answers 200 without a body.
	FaultEmptyBody
	// FaultNotJSON answers 200 with text that is labelled as JSON.
	FaultNotJSON
	// FaultWrongContentType answers the right JSON as text/plain.
	FaultWrongContentType
	// FaultHTMLBody answers 200 with a proxy's HTML page.
	FaultHTMLBody
	// FaultHTML502 answers 502 with a proxy's HTML page.
	FaultHTML502
	// FaultDifferentAnswer does what a latch or unlatch call asks for, and
	// answers with other HubSpot IDs.
	FaultDifferentAnswer

	// FaultStaleList serves lists from the customers as they were when the fault was injected.
	// With Fault.IDs only these customers are out of date. Single customers are read as they are.
	FaultStaleList
	// FaultMissingRows leaves customers out of lists: those of Fault.IDs, or else every
	// Fault.Every-th by ID. Pages stay full, since rows move up.
	FaultMissingRows

	// FaultRateLimitMinute answers 429 for the minute's limit, with nothing
	// remaining. The call is neither handled nor counted toward the limits.
	FaultRateLimitMinute
	// FaultRateLimitDay does the same for the day's limit.
	FaultRateLimitDay
	// FaultUnauthorized answers 401. The call is neither handled nor counted
	// toward the limits.
	FaultUnauthorized
	// FaultRedirectHost redirects to the same path on [RedirectHost]. The call
	// is neither handled nor counted toward the limits.
	FaultRedirectHost
	// FaultRedirectPlainHTTP redirects to the same URL over plain HTTP, and is
	// otherwise like FaultRedirectHost.
	FaultRedirectPlainHTTP

	// FaultMalformedKey refuses the key because of its form. The call is neither handled nor
	// counted toward the limits.
	FaultMalformedKey
	// FaultNullBody answers 200 with null.
	FaultNullBody
	// FaultNoContent answers 204 without a body.
	FaultNoContent

	// FaultUnlatchedRows gives entries of lists both HubSpot keys as null. As with the two kinds
	// below, the entries are those of Fault.IDs, or else every Fault.Every-th of the page.
	FaultUnlatchedRows
	// FaultRowsWithoutKeys leaves the two HubSpot keys out of entries of lists.
	FaultRowsWithoutKeys
	// FaultMalformedRows gives entries of lists an object in place of the customer's ID.
	FaultMalformedRows

	faultKinds // the number of kinds
)

// String returns the name of the kind, without "Fault".
func (k FaultKind) String() string {
	names := [...]string{
		FaultNone:              "None",
		FaultStatus500Before:   "Status500Before",
		FaultStatus500After:    "Status500After",
		FaultDropBefore:        "DropBefore",
		FaultDropAfter:         "DropAfter",
		FaultLatencyBefore:     "LatencyBefore",
		FaultLatencyAfter:      "LatencyAfter",
		FaultSlowDrip:          "SlowDrip",
		FaultTruncatedBody:     "TruncatedBody",
		FaultTruncatedJSON:     "TruncatedJSON",
		FaultEmptyBody:         "EmptyBody",
		FaultNotJSON:           "NotJSON",
		FaultWrongContentType:  "WrongContentType",
		FaultHTMLBody:          "HTMLBody",
		FaultHTML502:           "HTML502",
		FaultDifferentAnswer:   "DifferentAnswer",
		FaultStaleList:         "StaleList",
		FaultMissingRows:       "MissingRows",
		FaultRateLimitMinute:   "RateLimitMinute",
		FaultRateLimitDay:      "RateLimitDay",
		FaultUnauthorized:      "Unauthorized",
		FaultRedirectHost:      "RedirectHost",
		FaultRedirectPlainHTTP: "RedirectPlainHTTP",
		FaultMalformedKey:      "MalformedKey",
		FaultNullBody:          "NullBody",
		FaultNoContent:         "NoContent",
		FaultUnlatchedRows:     "UnlatchedRows",
		FaultRowsWithoutKeys:   "RowsWithoutKeys",
		FaultMalformedRows:     "MalformedRows",
	}
	return names[k]
}

// concerns reports whether a fault of this kind can show on a route.
func (k FaultKind) concerns(r Route) bool {
	switch k {
	case FaultStaleList, FaultMissingRows, FaultUnlatchedRows, FaultRowsWithoutKeys, FaultMalformedRows:
		return r == RouteCustomers
	case FaultDifferentAnswer:
		return r.writes()
	default:
		return true
	}
}

// spoilsRows reports whether a fault of this kind changes entries of a list.
func (k FaultKind) spoilsRows() bool {
	return k == FaultUnlatchedRows || k == FaultRowsWithoutKeys || k == FaultMalformedRows
}
