package fusebillsim

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
)

// RedirectHost is the host that FaultRedirectHost redirects to. By RFC 2606 it does not exist.
const RedirectHost = "redirected.fusebill.invalid"

// activeFault is a fault that happens to one call.
type activeFault struct {
	*Fault
	kind     FaultKind
	snapshot table
}

// fault returns the call's first fault of a kind, or nil.
func (c *call) fault(k FaultKind) *activeFault {
	i := slices.IndexFunc(c.faults, func(f activeFault) bool { return f.kind == k })
	if i < 0 {
		return nil
	}
	return &c.faults[i]
}

func (c *call) has(k FaultKind) bool {
	return c.fault(k) != nil
}

// before applies the faults that act before the call is processed.
func (c *call) before() error {
	for _, f := range c.faults {
		if f.kind == FaultLatencyBefore {
			if err := wait(c.Context(), f.Latency); err != nil {
				return err
			}
		}
		if f.OnRequest != nil {
			f.OnRequest(c.rewind())
		}
	}
	return nil
}

// refuse returns the answer of a fault that prevents the call from being counted and handled, or
// nil.
func (c *call) refuse() *answer {
	for _, f := range c.faults {
		switch f.kind {
		case FaultUnauthorized:
			return unauthorized()
		case FaultMalformedKey:
			return malformedKey(c.behavior)
		case FaultRateLimitMinute:
			c.rates.minute.remaining = 0
			return c.rateLimited(perMinute)
		case FaultRateLimitDay:
			c.rates.day.remaining = 0
			return c.rateLimited(perDay)
		case FaultRedirectHost:
			return redirect(c.Request, scheme(c.Request), RedirectHost)
		case FaultRedirectPlainHTTP:
			return redirect(c.Request, "http", host(c.Request))
		}
	}
	return nil
}

// fail returns the answer, or the error of a dropped connection, of a fault that ends the call
// after it was counted and before it is handled. Without such a fault it returns neither.
func (c *call) fail() (*answer, error) {
	for _, f := range c.faults {
		switch f.kind {
		case FaultStatus500Before:
			return internalError(), nil
		case FaultDropBefore:
			return nil, errDropped
		}
	}
	return nil, nil
}

// after applies the faults that act after the call was processed.
func (c *call) after(a *answer) (*answer, error) {
	for _, f := range c.faults {
		if f.OnAnswer != nil {
			f.OnAnswer(c.rewind())
		}
		if f.kind == FaultDropAfter {
			return nil, errDropped
		}
		if f.kind == FaultLatencyAfter {
			if err := wait(c.Context(), f.Latency); err != nil {
				return nil, err
			}
		}
		a = f.spoil(a)
	}
	return a, nil
}

// spoil returns the answer with the fault.
func (f *activeFault) spoil(a *answer) *answer {
	switch f.kind {
	case FaultStatus500After:
		return internalError()
	case FaultSlowDrip:
		a.drip = f.Latency
	case FaultTruncatedBody:
		a.cut = true
	case FaultTruncatedJSON:
		a.body = a.body[:len(a.body)/2]
	case FaultEmptyBody:
		a.status, a.body = http.StatusOK, nil
	case FaultNullBody:
		a.status, a.body = http.StatusOK, []byte("null")
	case FaultNoContent:
		a.status, a.body = http.StatusNoContent, nil
	case FaultNotJSON:
		a.status, a.body = http.StatusOK, []byte("The service is being updated.")
	case FaultWrongContentType:
		a.header.Set("Content-Type", "text/plain; charset=utf-8")
	case FaultHTMLBody:
		return htmlAnswer(http.StatusOK)
	case FaultHTML502:
		return htmlAnswer(http.StatusBadGateway)
	}
	return a
}

// missing returns a function that reports whether FaultMissingRows leaves a customer out, or nil.
func (c *call) missing() func(*record) bool {
	f := c.fault(FaultMissingRows)
	if f == nil {
		return nil
	}
	return f.chooser()
}

// chooser returns a function that reports, for one customer of a list after the other, whether the
// fault concerns it.
func (f *activeFault) chooser() func(*record) bool {
	if len(f.IDs) > 0 {
		return func(r *record) bool { return slices.Contains(f.IDs, r.ID) }
	}
	every := cmp.Or(f.Every, 10)
	seen := 0
	return func(*record) bool {
		seen++
		return seen%every == 0
	}
}

// entryEncoder returns the function that encodes one entry of a list after the other, with the
// faults of the call that concern it.
func (c *call) entryEncoder() func(*record) []byte {
	standard := formatFor(c.behavior, true)
	type rowFault struct {
		activeFault
		concerns func(*record) bool
	}
	var faults []rowFault
	for _, f := range c.faults {
		if f.kind.spoilsRows() || f.kind == FaultStaleList && len(f.IDs) > 0 {
			faults = append(faults, rowFault{f, f.chooser()})
		}
	}
	return func(r *record) []byte {
		format := standard
		for _, f := range faults {
			if !f.concerns(r) {
				continue
			}
			switch f.kind {
			case FaultStaleList:
				if i, ok := f.snapshot.find(r.ID); ok {
					r = f.snapshot[i]
				}
			case FaultUnlatchedRows:
				unlatched := r.Customer
				unlatched.HubSpotID, unlatched.HubSpotCompanyID = 0, 0
				r = &record{Customer: unlatched}
			case FaultRowsWithoutKeys:
				format |= withoutHubSpotKeys
			case FaultMalformedRows:
				format |= malformedID
			}
		}
		return r.encode(format)
	}
}

// otherLatch returns the customer with a latch in which each ID differs.
func otherLatch(r *record) *record {
	c := r.Customer
	c.HubSpotID ^= 1
	c.HubSpotCompanyID ^= 1
	return &record{Customer: c}
}

func internalError() *answer {
	return errorAnswer(http.StatusInternalServerError, "An unexpected error occurred.")
}

// htmlAnswer is the page of a proxy in front of the service.
func htmlAnswer(status int) *answer {
	const page = "<html>\r\n<head><title>Please wait</title></head>\r\n<body><h1>Proxy</h1></body>\r\n</html>\r\n"
	a := newAnswer(status, "text/html", []byte(page))
	a.foreign = true
	return a
}

// redirect sends r elsewhere, with its method and body.
func redirect(r *http.Request, scheme, host string) *answer {
	target := url.URL{Scheme: scheme, Host: host, Path: r.URL.Path, RawQuery: r.URL.RawQuery}
	a := newAnswer(http.StatusTemporaryRedirect, "text/html", nil)
	a.header.Set("Location", target.String())
	a.foreign = true
	return a
}
