package fusebillsim

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// field is what a list can be filtered and sorted by.
type field struct {
	parse   func(value string) (filter, error)
	compare func(a, b *Customer) int
}

// fields has the query names in lower case. It lacks the documented names of what a [Customer] here
// does not have, and the two HubSpot fields, by which the service does not filter. The map is never
// changed.
var fields = map[string]field{
	"id":                      idField(func(c *Customer) int64 { return c.ID }),
	"status":                  enumField(func(c *Customer) string { return c.Status }, statusWords...),
	"reference":               textField(func(c *Customer) string { return c.Reference }),
	"companyname":             textField(func(c *Customer) string { return c.CompanyName }),
	"firstname":               textField(func(c *Customer) string { return c.FirstName }),
	"lastname":                textField(func(c *Customer) string { return c.LastName }),
	"primaryemail":            textField(func(c *Customer) string { return c.PrimaryEmail }),
	"primaryphone":            textField(func(c *Customer) string { return c.PrimaryPhone }),
	"title":                   enumField(func(c *Customer) string { return c.Title }, titleWords...),
	"quickbooksid":            idField(func(c *Customer) int64 { return c.QuickBooksID }),
	"monthlyrecurringrevenue": moneyField(func(c *Customer) int64 { return c.MonthlyRevenueCents }),
	"createdtimestamp":        timeField(func(c *Customer) time.Time { return c.Created }),
	"modifiedtimestamp":       timeField(func(c *Customer) time.Time { return c.Modified }),
}

// The words of the enumerated fields, in lower case.
var (
	statusWords = []string{"draft", "active", "hold", "suspended", "cancelled"}
	titleWords  = []string{"mr", "mrs", "ms", "miss", "dr"}
)

// emptyValue matches a field that is null or empty.
const emptyValue = "[empty]"

// idField takes "1,2,3", "1|9" or "[empty]".
func idField(get func(*Customer) int64) field {
	return field{
		compare: func(a, b *Customer) int { return cmp.Compare(get(a), get(b)) },
		parse: func(value string) (filter, error) {
			if value == emptyValue {
				return filter{matches: func(c *Customer) bool { return get(c) == 0 }}, nil
			}
			if strings.Contains(value, "|") {
				in, err := parseRange(value, parseQueryID, atMost)
				return filter{matches: func(c *Customer) bool { return get(c) != 0 && in(get(c)) }}, err
			}
			set, err := parseIDSet(value)
			return filter{ids: set, matches: func(c *Customer) bool {
				_, found := slices.BinarySearch(set, get(c))
				return found
			}}, err
		},
	}
}

// enumField takes "Active,Draft", in any letter case. The words, in lower case,
// are all that is valid; without any, every word is.
func enumField(get func(*Customer) string, words ...string) field {
	return field{
		compare: func(a, b *Customer) int { return strings.Compare(get(a), get(b)) },
		parse: func(value string) (filter, error) {
			var set []string
			for item := range strings.SplitSeq(value, ",") {
				word := strings.ToLower(strings.TrimSpace(item))
				if word == "" || len(words) > 0 && !slices.Contains(words, word) {
					return filter{}, fmt.Errorf("%q is not a valid value", item)
				}
				set = append(set, word)
			}
			return filter{matches: func(c *Customer) bool {
				return slices.ContainsFunc(set, func(word string) bool { return strings.EqualFold(word, get(c)) })
			}}, nil
		},
	}
}

// textField takes an exact value, a pattern with *, or "[empty]". A comma or a
// bar means itself.
func textField(get func(*Customer) string) field {
	return field{
		compare: func(a, b *Customer) int { return strings.Compare(get(a), get(b)) },
		parse: func(value string) (filter, error) {
			switch value {
			case "":
				return filter{}, errors.New("the value is missing; [empty] matches an empty one")
			case emptyValue:
				value = ""
			}
			return filter{matches: func(c *Customer) bool { return matchWildcard(value, get(c)) }}, nil
		},
	}
}

// moneyField takes "lower|upper", both inclusive, or a single amount.
func moneyField(cents func(*Customer) int64) field {
	return field{
		compare: func(a, b *Customer) int { return cmp.Compare(cents(a), cents(b)) },
		parse: func(value string) (filter, error) {
			if !strings.Contains(value, "|") {
				amount, err := parseQueryAmount(value)
				return filter{matches: func(c *Customer) bool { return float64(cents(c))/100 == amount }}, err
			}
			in, err := parseRange(value, parseQueryAmount, atMost)
			return filter{matches: func(c *Customer) bool { return in(float64(cents(c)) / 100) }}, err
		},
	}
}

// timeField takes "lower|upper", of which the upper is exclusive, or a single time. By
// https://developer.staxbill.com/reference/date-filtering the range 2018-01-01|2019-01-01 has times
// on 2018-01-01 but none on 2019-01-01.
func timeField(get func(*Customer) time.Time) field {
	return field{
		compare: func(a, b *Customer) int { return get(a).Compare(get(b)) },
		parse: func(value string) (filter, error) {
			if !strings.Contains(value, "|") {
				at, err := parseQueryTime(value)
				return filter{matches: func(c *Customer) bool { return get(c).Equal(at) }}, err
			}
			in, err := parseRange(value, parseQueryTime, time.Time.Before)
			return filter{matches: func(c *Customer) bool { return in(get(c)) }}, err
		},
	}
}

// parseIDSet reads IDs joined by commas, and returns them sorted.
func parseIDSet(text string) ([]int64, error) {
	var set []int64
	for item := range strings.SplitSeq(text, ",") {
		id, err := parseQueryID(item)
		if err != nil {
			return nil, err
		}
		set = append(set, id)
	}
	slices.Sort(set)
	return slices.Compact(set), nil
}

func parseQueryID(text string) (int64, error) {
	id, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not an ID", text)
	}
	return id, nil
}

func parseQueryTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time", text)
}

func parseQueryAmount(text string) (float64, error) {
	amount, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(amount) {
		return 0, fmt.Errorf("%q is not an amount", text)
	}
	return amount, nil
}

func atMost[T cmp.Ordered](value, upper T) bool { return value <= upper }

// parseRange reads "lower|upper", of which either or both may be missing, and returns a function
// that reports whether a value is in that range. The lower end is inclusive; below decides on the
// upper end.
func parseRange[T comparable](
	text string, parse func(string) (T, error), below func(value, upper T) bool,
) (func(T) bool, error) {
	from, to, _ := strings.Cut(text, "|")
	var lower, upper T
	var err error
	if from != "" {
		if lower, err = parse(from); err != nil {
			return nil, err
		}
	}
	if to != "" {
		if upper, err = parse(to); err != nil {
			return nil, err
		}
	}
	return func(v T) bool {
		return (from == "" || v == lower || !below(v, lower)) && (to == "" || below(v, upper))
	}, nil
}

// matchWildcard reports whether text fits pattern, in which each * stands for
// any run of characters.
func matchWildcard(pattern, text string) bool {
	first, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return text == pattern
	}
	text, ok := strings.CutPrefix(text, first)
	if !ok {
		return false
	}
	parts := strings.Split(rest, "*")
	last := len(parts) - 1
	for _, part := range parts[:last] {
		// The earliest place leaves the most for what follows.
		if _, text, ok = strings.Cut(text, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(text, parts[last])
}
