package fusebill

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// timestampLayouts are the forms in which a .NET service may write a time. The API reference does
// not document the form that the service uses. All times are UTC, even those without a zone. Go
// accepts fractions of seconds in each form.
var timestampLayouts = []string{
	time.RFC3339,
	"2006-01-02T15:04:05",
	"2006-01-02 15:04:05Z07:00", // .NET's universal sortable form "u".
	"2006-01-02 15:04:05",
	"2006-01-02 15:04:05 -07:00",
	"1/2/2006 15:04:05", // .NET's invariant culture, with or without leading zeros.
	"1/2/2006 15:04:05 -07:00",
	"1/2/2006 3:04:05 PM", // The culture of the United States.
	"1/2/2006 3:04:05 PM -07:00",
}

// parseTimestamp parses the forms above, the dates of HTTP, and seconds or milliseconds since 1970.
// It returns UTC.
func parseTimestamp(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return epochTime(n)
	}
	for _, layout := range timestampLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	if t, err := http.ParseTime(text); err == nil {
		return t.UTC(), true
	}
	return time.Time{}, false
}

// epochTime interprets a number as seconds or milliseconds since 1970, by its size. A number that
// is not between the years 1973 and 5138 in either unit is not a time.
func epochTime(n int64) (time.Time, bool) {
	const earliest, latest = 1e8, 1e11 // Seconds.
	switch {
	case n >= earliest && n < latest:
		return time.Unix(n, 0).UTC(), true
	case n >= earliest*1000 && n < latest*1000:
		return time.UnixMilli(n).UTC(), true
	default:
		return time.Time{}, false
	}
}
