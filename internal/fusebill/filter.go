package fusebill

import (
	"slices"
	"strings"
	"time"
	"unicode"
)

// Statuses are all values of a customer's status, by the API reference.
var Statuses = []string{"Draft", "Active", "Hold", "Suspended", "Cancelled"}

// Filter chooses customers. A customer is chosen if all fields that are set match exactly. The zero
// Filter chooses every customer.
type Filter struct {
	Statuses      []string // any of these
	Reference     string
	CompanyName   string
	PrimaryEmail  string
	ModifiedSince time.Time
}

// IsZero reports whether the filter chooses every customer.
func (f Filter) IsZero() bool {
	return len(f.Statuses) == 0 && f.Reference == "" && f.CompanyName == "" && f.PrimaryEmail == "" &&
		f.ModifiedSince.IsZero()
}

// Matches reports whether the filter chooses a customer. A customer without a known time of its
// last change counts as changed.
func (f Filter) Matches(c Customer) bool {
	isSame := func(wanted, value string) bool { return wanted == "" || wanted == value }
	hasStatus := func(status string) bool { return strings.EqualFold(status, c.Status) }
	return isSame(f.Reference, c.Reference) && isSame(f.CompanyName, c.CompanyName) &&
		isSame(f.PrimaryEmail, c.PrimaryEmail) &&
		(len(f.Statuses) == 0 || slices.ContainsFunc(f.Statuses, hasStatus)) &&
		(f.ModifiedSince.IsZero() || c.Modified.IsZero() || !c.Modified.Before(f.ModifiedSince))
}

// query returns the parameter "query" of the list call. It may choose more customers than the
// filter, but not fewer, so answers have to be filtered again. The API reference has no escape for
// characters that have a meaning in a query, so each of them becomes a *, which matches any text. A
// time is cut to its second, which every form of the service can express.
func (f Filter) query() string {
	var pairs []string
	add := func(name, value string) {
		if value != "" {
			pairs = append(pairs, name+":"+value)
		}
	}
	add("status", strings.Join(f.Statuses, ","))
	add("reference", literal(f.Reference))
	add("companyName", literal(f.CompanyName))
	add("primaryEmail", literal(f.PrimaryEmail))
	if !f.ModifiedSince.IsZero() {
		add("modifiedTimestamp", f.ModifiedSince.UTC().Format("2006-01-02T15:04:05")+"|")
	}
	return strings.Join(pairs, ";")
}

// literal makes a text safe for a query. The service may ignore white space at the ends of a text.
func literal(text string) string {
	trimmed := strings.TrimSpace(text)
	before, after, _ := strings.Cut(text, trimmed)
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(";:,|*[]", r) || unicode.IsControl(r) {
			return '*'
		}
		return r
	}, anyRun(before)+trimmed+anyRun(after))
}

// anyRun returns the pattern for a text that may be absent.
func anyRun(text string) string {
	if text == "" {
		return ""
	}
	return "*"
}
