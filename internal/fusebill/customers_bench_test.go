package fusebill

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// BenchmarkCustomersPage measures what the client does with one page of 1,000 customers, from the
// transport's answer to the customers. It uses only the client's methods, so it runs at any commit.
func BenchmarkCustomersPage(b *testing.B) {
	sim := fusebillsim.New(fusebillsim.Config{APIKey: testKey})
	sim.AddSampleCustomers(MaxPageSize)
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet,
		"https://fusebill.test/v1/customers?pageSize=1000", http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Authorization", "Basic "+testKey)
	resp, err := sim.Transport().RoundTrip(request)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		b.Fatal(err)
	}
	client, err := NewClient(testKey, WithTransport(roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{},
			Body: io.NopCloser(bytes.NewReader(page))}, nil
	})))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		got, err := client.Customers(b.Context(), CustomersRequest{})
		if err != nil || len(got.Customers) != MaxPageSize {
			b.Fatalf("%d customers, error %v", len(got.Customers), err)
		}
	}
}
