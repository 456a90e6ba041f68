package fusebill

import (
	"slices"
	"strings"
	"time"
	"unicode"
)

// Statuses are what a customer's status can be (the API reference).
var Statuses = []string{"Draft", "Active", "Hold", "Suspended", "Cancelled"}

// Filter chooses customers. All that is set has to match, to the letter; the zero Filter chooses every customer.
type Filter struct {
	Statuses      []string // any of these
	Reference     string
	CompanyName   string
	PrimaryEmail  string
	ModifiedSince time.Time
}

// IsZero says whether every customer matches.
func (f Filter) IsZero() bool {
	return len(f.Statuses) == 0 && f.Reference == "" && f.CompanyName == "" && f.PrimaryEmail == "" && f.ModifiedSince.IsZero()
}

// Matches says whether a customer is chosen, as far as can be told: one without the time of its last change counts as
// changed.
func (f Filter) Matches(c Customer) bool {
	isSame := func(wanted, value string) bool { return wanted == "" || wanted == value }
	return isSame(f.Reference, c.Reference) && isSame(f.CompanyName, c.CompanyName) && isSame(f.PrimaryEmail, c.PrimaryEmail) &&
		(len(f.Statuses) == 0 || slices.ContainsFunc(f.Statuses, func(s string) bool { return strings.EqualFold(s, c.Status) })) &&
		(f.ModifiedSince.IsZero() || c.Modified.IsZero() || !c.Modified.Before(f.ModifiedSince))
}

// query is the list's parameter of that name. It may choose more than the filter does, never less, so answers have to be
// looked through: the reference knows no way to write a character that means something in a query, and such a character
// becomes a *, which matches it as it does others. A time has colons in it, and becomes its day.
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
		add("modifiedTimestamp", f.ModifiedSince.UTC().Format(time.DateOnly)+"|")
	}
	return strings.Join(pairs, ";")
}

// literal makes a text safe to stand in a query. White space at its ends might be taken for the query's own.
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

// anyRun stands for a text that may be there.
func anyRun(text string) string {
	if text == "" {
		return ""
	}
	return "*"
}
