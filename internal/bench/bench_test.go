package main

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"testing"

	reading "github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// These are what the client and the reader take by themselves, without a network, a CLI and latency:
//
//	go test -run '^$' -bench . -benchmem ./internal/bench

// BenchmarkDecode reads one page of 1,000 customers that is in memory already.
func BenchmarkDecode(b *testing.B) {
	account := newBenchAccount()
	account.AddSampleCustomers(fusebill.MaxPageSize)
	page := &replay{to: account.Transport()}
	client := newBenchClient(b, page)
	b.ReportAllocs()
	for b.Loop() {
		got, err := client.Customers(b.Context(), fusebill.CustomersRequest{})
		if err != nil || len(got.Customers) != fusebill.MaxPageSize {
			b.Fatal(len(got.Customers), err)
		}
	}
	b.SetBytes(int64(len(page.body)))
}

// BenchmarkReader makes 10,000 reads from ten workers, as a plan of an account with as many customers does. The
// simulator's work is in it: a dozen pages.
func BenchmarkReader(b *testing.B) {
	const latches, workers = 10_000, 10
	account := newBenchAccount()
	ids := account.AddSampleCustomers(latches)
	client := newBenchClient(b, account.Transport())
	b.ReportAllocs()
	for b.Loop() {
		reader := reading.NewReader(client)
		work := make(chan int64)
		var running sync.WaitGroup
		for range workers {
			running.Go(func() {
				for id := range work {
					if _, err := reader.Customer(b.Context(), id); err != nil {
						b.Error(err)
					}
				}
			})
		}
		for _, id := range ids {
			work <- id
		}
		close(work)
		running.Wait()
	}
	b.ReportMetric(float64(account.Count())/float64(b.N), "calls/op")
}

func newBenchAccount() *fusebillsim.Simulator {
	return fusebillsim.New(fusebillsim.Config{APIKey: apiKey, LimitMinute: noLimit, LimitDay: noLimit, DiscardRequests: true})
}

func newBenchClient(b *testing.B, transport http.RoundTripper) *fusebill.Client {
	b.Helper()
	client, err := fusebill.NewClient(apiKey, fusebill.WithTransport(transport))
	if err != nil {
		b.Fatal(err)
	}
	return client
}

// replay gives the answer to the first request to all others as well.
type replay struct {
	to     http.RoundTripper
	header http.Header
	body   []byte
}

func (r *replay) RoundTrip(req *http.Request) (*http.Response, error) {
	if r.body == nil {
		resp, err := r.to.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		if r.body, err = io.ReadAll(resp.Body); err != nil {
			return nil, err
		}
		r.header = resp.Header
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: r.header, Body: io.NopCloser(bytes.NewReader(r.body)), Request: req,
	}, nil
}
