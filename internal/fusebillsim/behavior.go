package fusebillsim

import (
	"maps"
	"time"
)

// Behavior has switches for the unknown properties of the service, and for those that differ
// between accounts. The zero value is the most likely behavior.
type Behavior struct {
	// Conflict is the answer to a latch call that claims a contact or a company of another
	// customer.
	Conflict ConflictMode

	// UnknownContacts and UnknownCompanies are the IDs that HubSpot does not have. Latching to one
	// answers 400.
	UnknownContacts, UnknownCompanies map[int64]bool

	// Merged is the behavior of a HubSpot record that was merged into another one, see
	// [Simulator.MergeContacts].
	Merged MergeMode

	// LatchKeepsModified leaves a customer's modifiedTimestamp as it is when its latch changes.
	LatchKeepsModified bool

	// UpdateKeepsLatch makes PUT customers keep the latch. Otherwise that call sets the two HubSpot
	// fields to the values in its body, or to null where the body leaves them out, as it does with
	// most other fields.
	UpdateKeepsLatch bool

	// NotFoundAsMessage gives the 404 of a missing customer the body {"Message":"…"}, as that of an
	// unknown route has, in place of the API's error body.
	NotFoundAsMessage bool

	// MalformedKeyIs401 answers 401 instead of 400 to a key that does not have the form of a key.
	MalformedKeyIs401 bool

	// ListOmitsHubSpotKeys leaves hubSpotId and hubSpotCompanyId out of list entries. Single
	// customers always have them.
	ListOmitsHubSpotKeys bool

	// IDsAsStrings makes every ID in an answer a numeric string.
	IDsAsStrings bool

	// OmitNewerKeys leaves out the keys that the vendor's example of the latch call does not have,
	// among them createdTimestamp.
	OmitNewerKeys bool

	// AbsoluteURIs makes every uri in an answer an absolute URL.
	AbsoluteURIs bool

	// IgnoreFilters makes the list ignore its query and return all customers.
	IgnoreFilters bool

	// MaxPageSize is the largest page; a larger pageSize is lowered to it without an error. 0 means
	// 1,000.
	MaxPageSize int

	// MaxURLLength is the maximum length in bytes of path and query together. Longer ones get 414.
	// 0 means no limit.
	MaxURLLength int

	// MaxIDSet is the maximum number of IDs in one filter. More of them get 400. 0 means no limit.
	MaxIDSet int

	// OmitPageHeaders leaves out the X- headers that describe a page.
	OmitPageHeaders bool

	// OmitRateHeaders leaves out the X-Rate-Limit headers.
	OmitRateHeaders bool

	// ResetFormat is the format of the two X-Rate-Limit-Reset headers.
	ResetFormat ResetFormat

	// RetryAfter adds a Retry-After header, in seconds, to every 429.
	RetryAfter bool

	// RateLimitText is the text in the body of every 429. Empty means a text that names the limit
	// and its window.
	RateLimitText string

	// DateAhead is the time by which the Date header is ahead of the clock that counts calls, as
	// with a load balancer that has its own clock.
	DateAhead time.Duration

	// GzipMinSize is the size in bytes from which an answer is compressed for a client that accepts
	// gzip. 0 means 1,024, a negative size means never.
	GzipMinSize int

	// Latency is the time between handling a call and answering it. A call that is cancelled
	// meanwhile has made its change. The wait ends with the request's context.
	Latency time.Duration

	// AbandonedWriteDelay is the time after which a write takes effect that was cancelled while
	// [FaultLatencyBefore] delayed it. 0 drops such a write. [Simulator.Settle] waits for it.
	AbandonedWriteDelay time.Duration
}

// ConflictMode is an answer to the claim of an ID that another customer holds.
type ConflictMode int

const (
	// ConflictStatus409 refuses the call with 409 and a text that gives the reason.
	ConflictStatus409 ConflictMode = iota
	// ConflictStatus400 refuses the call with 400 and a text that does not give the reason.
	ConflictStatus400
	// ConflictMoves takes the ID from its holder and answers 200.
	ConflictMoves
)

// MergeMode is an answer about a HubSpot record that was merged into another one.
type MergeMode int

const (
	// MergedKeepsID keeps the old ID in latches and in answers, and accepts it in latch calls.
	MergedKeepsID MergeMode = iota
	// MergedAnswersNewID has the new ID in place of the old one: in latches from the time of the
	// merge on, and in the answer to a latch call that asks for the old ID.
	MergedAnswersNewID
	// MergedRefused keeps the old ID in latches, and refuses latch calls that ask for it with 400,
	// as for a record that HubSpot does not have.
	MergedRefused
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
