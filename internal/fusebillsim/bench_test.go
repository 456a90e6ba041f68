package fusebillsim

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// BenchmarkSimulator measures calls in an account of 100,000 customers, so that a benchmark of a
// client shows how much of its time is the simulator's.
func BenchmarkSimulator(b *testing.B) {
	s := New(Config{APIKey: testKey, LimitMinute: 1 << 40, LimitDay: 1 << 40, DiscardRequests: true})
	ids := s.AddSampleCustomers(100_000)
	set := strings.Trim(strings.ReplaceAll(fmt.Sprint(ids[50_000:50_100]), " ", ","), "[]")
	for name, path := range map[string]string{
		"customer":    fmt.Sprintf("customers/%d", ids[70_000]),
		"ids":         "customers?query=id:" + set,
		"page":        "customers?pageSize=1000&pageNumber=50",
		"sorted page": "customers?pageSize=1000&pageNumber=50&sortOrder=Ascending&sortExpression=id",
		"filter":      "customers?query=status:Draft&pageSize=1000",
		"reference":   "customers?query=reference:C-070000",
	} {
		b.Run(name, func(b *testing.B) { benchmarkCalls(b, s, http.MethodGet, path, func(int) string { return "" }) })
	}
	b.Run("latch", func(b *testing.B) {
		benchmarkCalls(b, s, http.MethodPost, latchPath, func(i int) string {
			return fmt.Sprintf(`{"fusebillId":%d,"hubSpotId":%d}`, ids[i%len(ids)], i+1)
		})
	})
}

func benchmarkCalls(b *testing.B, s *Simulator, method, path string, body func(int) string) {
	b.Helper()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r, err := http.NewRequestWithContext(b.Context(), method, "https://fusebill.test/v1/"+path, strings.NewReader(body(i)))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Authorization", "Basic "+testKey)
		r.Header.Set("Content-Type", "application/json")
		got, err := trySend(s.Transport(), r)
		if err != nil || got.status != http.StatusOK {
			b.Fatal(got.status, got.body, err)
		}
	}
}
