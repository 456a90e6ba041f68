package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// apiKey opens the simulated accounts.
const apiKey = "MDo5b2pmbGpvUW9hRjFMbHFzYWpBSXhOS3U4aVMyRzhOUFJWZEQ1M1g4M1JaSnp6enpnRU96ZG1lbkNraHZNZGdh"

// noLimit is for an account whose limits aren't what is measured.
const noLimit = 1 << 30

// account is a simulated account that is served on loopback.
type account struct {
	*fusebillsim.Simulator
	server *http.Server
	url    string
	ids    []int64 // of its customers
}

// openAccount opens an account of so many customers, none of them latched.
func openAccount(ctx context.Context, config fusebillsim.Config, customers int) (*account, error) {
	config.APIKey = apiKey
	a := &account{Simulator: fusebillsim.New(config)}
	a.ids = a.AddSampleCustomers(customers)
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a.url = fmt.Sprintf("http://%s/v1", listener.Addr())
	a.server = &http.Server{Handler: a, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = a.server.Serve(listener) }() // Ends with an error, always: that the server was closed.
	return a, nil
}

func (a *account) close() { _ = a.server.Close() }

// baseURL is where the account is served. For commands that need none it is a place on this machine where nobody answers.
func (a *account) baseURL() string {
	if a == nil {
		return "http://127.0.0.1:1/v1"
	}
	return a.url
}

// declaredLatch is a customer and what it is latched to.
type declaredLatch struct {
	customer int64
	fusebill.Latch
}

// chosen are latches to declare, for so many customers, spread evenly over the account.
func (a *account) chosen(n int) []declaredLatch {
	latches := make([]declaredLatch, n)
	for i := range latches {
		latches[i] = latchFor(a.ids[i*len(a.ids)/n])
	}
	return latches
}

// What is declared for a customer follows from its ID: a contact and a company of its own, with IDs as large as HubSpot's
// newer ones.
const (
	contactOffset int64 = 20_000_000_000
	companyOffset int64 = 30_000_000_000
)

func latchFor(customer int64) declaredLatch {
	return declaredLatch{customer, fusebill.Latch{HubSpotID: contactOffset + customer, HubSpotCompanyID: companyOffset + customer}}
}

// set latches customers, as another user of the account would.
func (a *account) set(latches []declaredLatch) {
	for _, l := range latches {
		a.SetLatch(l.customer, l.HubSpotID, l.HubSpotCompanyID)
	}
}

// unlatchAll removes all latches, as another user of the account would.
func (a *account) unlatchAll() {
	for _, id := range a.ids {
		a.SetLatch(id, 0, 0)
	}
}

// latched counts the customers that are latched.
func (a *account) latched() int {
	n := 0
	for _, customer := range a.Customers() {
		if customer.HubSpotID != 0 || customer.HubSpotCompanyID != 0 {
			n++
		}
	}
	return n
}

// drifted is latches of which one in a hundred, and at least one, is to another contact than declared.
func drifted(declared []declaredLatch) []declaredLatch {
	changed := slices.Clone(declared)
	for i := range driftOf(len(changed)) {
		changed[i*100].HubSpotID += contactOffset
	}
	return changed
}

// driftOf is how many of so many latches differ.
func driftOf(n int) int { return max(n/100, 1) }
