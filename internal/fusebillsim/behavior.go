package fusebillsim

import (
	"maps"
	"time"
)

// Behavior holds what is not known of the service, or differs between accounts,
// as switches. The zero value is the most likely service.
type Behavior struct {
	// Conflict says what a latch call does that claims a contact or a company
	// of another customer.
	Conflict ConflictMode

	// UnknownContacts and UnknownCompanies are the IDs that HubSpot does not
	// have. Latching to one answers 400.
	UnknownContacts, UnknownCompanies map[int64]bool

	// ListOmitsHubSpotKeys leaves hubSpotId and hubSpotCompanyId out of list
	// entries. Single customers always have them.
	ListOmitsHubSpotKeys bool

	// IDsAsStrings makes every ID in an answer a numeric string.
	IDsAsStrings bool

	// IgnoreFilters makes the list ignore its query: all customers come back.
	IgnoreFilters bool

	// MaxPageSize is the largest page; a larger pageSize is lowered to it
	// without an error. 0 means 1,000.
	MaxPageSize int

	// MaxURLLength is the greatest length in bytes of path and query together;
	// longer ones get 414. 0 means no bound.
	MaxURLLength int

	// MaxIDSet is the greatest number of IDs in one filter; more get 400.
	// 0 means no bound.
	MaxIDSet int

	// OmitPageHeaders leaves out the X- headers that describe a page.
	OmitPageHeaders bool

	// OmitRateHeaders leaves out the X-Rate-Limit headers.
	OmitRateHeaders bool

	// ResetFormat is the format of the two X-Rate-Limit-Reset headers.
	ResetFormat ResetFormat

	// RetryAfter adds a Retry-After header, in seconds, to every 429.
	RetryAfter bool

	// GzipMinSize is the size in bytes from which an answer is compressed for
	// a client that accepts gzip. 0 means 1,024, a negative size means never.
	GzipMinSize int

	// Latency passes between handling a call and answering it: a call that is
	// cancelled meanwhile has made its change. The wait ends with the
	// request's context.
	Latency time.Duration
}

// ConflictMode says how a claim of an ID that another customer holds is met.
type ConflictMode int

const (
	// ConflictStatus409 refuses the call with 409 and a text that says why.
	ConflictStatus409 ConflictMode = iota
	// ConflictStatus400 refuses the call with 400 and a text that does not.
	ConflictStatus400
	// ConflictMoves takes the ID from its holder and answers 200.
	ConflictMoves
)

const (
	defaultMaxPageSize = 1000
	defaultGzipMinSize = 1024
)

func (b *Behavior) maxPageSize() int {
	if b.MaxPageSize == 0 {
		return defaultMaxPageSize
	}
	return b.MaxPageSize
}

// compresses reports whether a body of size bytes is large enough for gzip.
func (b *Behavior) compresses(size int) bool {
	if b.GzipMinSize == 0 {
		return size >= defaultGzipMinSize
	}
	return b.GzipMinSize > 0 && size >= b.GzipMinSize
}

// clone returns a copy that shares no map with b.
func (b *Behavior) clone() *Behavior {
	c := *b
	c.UnknownContacts = maps.Clone(b.UnknownContacts)
	c.UnknownCompanies = maps.Clone(b.UnknownCompanies)
	return &c
}
