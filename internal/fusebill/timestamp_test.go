package fusebill

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

func TestParseTimestamp(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 1, 2, 15, 4, 0, 0, time.UTC)
	for text, ok := range map[string]bool{
		"2026-01-02T15:04:00Z":           true,
		"2026-01-02T15:04:00.0000000Z":   true,
		"2026-01-02T17:04:00+02:00":      true,
		"2026-01-02T15:04:00":            true,
		"2026-01-02T15:04:00.0000000":    true,
		"2026-01-02 15:04:00Z":           true,
		"2026-01-02 15:04:00":            true,
		"2026-01-02 15:04:00.0000000":    true,
		"2026-01-02 17:04:00 +02:00":     true,
		"2026-01-02 17:04:00+02:00":      true,
		"01/02/2026 15:04:00":            true,
		"1/2/2026 15:04:00":              true,
		"01/02/2026 15:04:00 +00:00":     true,
		"01/02/2026 10:04:00 -05:00":     true,
		"1/2/2026 3:04:00 PM":            true,
		"01/02/2026 03:04:00 PM":         true,
		"1/2/2026 3:04:00 PM +00:00":     true,
		"1/2/2026 10:04:00 AM -05:00":    true,
		"Fri, 02 Jan 2026 15:04:00 GMT":  true,
		"Friday, 02-Jan-26 15:04:00 GMT": true,
		"Fri Jan  2 15:04:00 2026":       true,
		" 1767366240 ":                   true,
		"1767366240000":                  true,
		"":                               false,
		"0":                              false,
		"5":                              false,
		"99999999":                       false,
		"100000000000000":                false,
		"-1767366240":                    false,
		"1767366240.5":                   false,
		"next window":                    false,
		"13/02/2026 15:04:00":            false,
		"01/02/2026 15:04:00 PM":         false,
		"2026-01-02":                     false,
		"99999999999999999999":           false,
	} {
		got, gotOK := parseTimestamp(text)
		if gotOK != ok || ok && (!got.Equal(want) || got.Location() != time.UTC) {
			t.Errorf("%q: %s, %v", text, got, gotOK)
		}
	}
	for text, fraction := range map[string]time.Duration{
		"2026-01-02T15:04:00.1234567Z":   123456700,
		"1/2/2026 3:04:00.25 PM":         250 * time.Millisecond,
		"1767366240007":                  7 * time.Millisecond,
		"01/02/2026 15:04:00.5 +00:00":   500 * time.Millisecond,
		"2026-01-02 15:04:00.000000001Z": 1,
	} {
		if got, ok := parseTimestamp(text); !ok || got.Sub(want) != fraction {
			t.Errorf("%q: %s", text, got)
		}
	}
	midnight, _ := parseTimestamp("1/2/2026 12:00:00 AM")
	if want := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC); !midnight.Equal(want) {
		t.Errorf("midnight: %s", midnight)
	}
}

// A time that is understood can be written in every form, and is understood as the same time.
func FuzzTimestamps(f *testing.F) {
	for _, seed := range []string{
		"2026-01-02T15:04:00.1234567Z", "Fri, 02 Jan 2026 15:04:00 GMT", "01/02/2026 15:04:00", "1767366240",
		"next window", "",
		"9223372036854775807", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00", "1/2/2026 3:04:05.999 PM -12:34",
		"1767366240007",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := parseTimestamp(text)
		if !ok {
			if !got.IsZero() {
				t.Errorf("%q is not understood, and yet %s", text, got)
			}
			return
		}
		if got.Location() != time.UTC {
			t.Errorf("%q: not in UTC: %s", text, got)
		}
		if got.Unix() < 1e8 || got.Year() > 5000 {
			return // Not every form can say it, and no reset is then.
		}
		second, milli := got.Truncate(time.Second), got.Truncate(time.Millisecond)
		for form, again := range map[string]time.Time{
			got.Format(time.RFC3339Nano):                 got,
			got.Format("2006-01-02T15:04:05.9999999"):    got.Truncate(100 * time.Nanosecond),
			got.Format("2006-01-02 15:04:05.999999999Z"): got,
			got.Format("1/2/2006 3:04:05.999 PM"):        milli,
			got.Format("01/02/2006 15:04:05.999 -07:00"): milli,
			second.Format(http.TimeFormat):               second,
			second.Format("01/02/2006 15:04:05"):         second,
			strconv.FormatInt(second.Unix(), 10):         second,
			strconv.FormatInt(milli.UnixMilli(), 10):     milli,
		} {
			if reread, ok := parseTimestamp(form); !ok || !reread.Equal(again) {
				t.Errorf("%q, from %q: %s, %v", form, text, reread, ok)
			}
		}
	})
}
