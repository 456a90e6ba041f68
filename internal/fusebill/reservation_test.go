package fusebill

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// Reserved calls stay available to their reservation while other calls wait for the quota.
func TestReserve(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := fusebillsim.New(fusebillsim.Config{APIKey: testKey, LimitMinute: 10})
		sim.AddCustomers(fusebillsim.Customer{ID: 7})
		client := newTestClient(t, WithTransport(sim.Transport()))
		read := func(ctx context.Context) time.Duration {
			begin := time.Now()
			if _, err := client.Customer(ctx, 7); err != nil {
				t.Error(err)
			}
			return time.Since(begin)
		}
		read(t.Context()) // The response reports the limit.
		reserved, err := client.Reserve(t.Context(), 4)
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if took := read(t.Context()); took > time.Second {
				t.Errorf("a call that is not reserved for others took %s", took)
			}
		}
		others := make(chan time.Duration)
		go func() { others <- read(t.Context()) }()
		synctest.Wait()
		for range 4 {
			if took := read(reserved.Context(t.Context())); took > time.Second {
				t.Errorf("a reserved call took %s", took)
			}
		}
		reserved.Release()
		if took := <-others; took < 30*time.Second {
			t.Errorf("another call took %s", took)
		}
	})
}

// A brief reservation is granted beside one that holds half of the quota, so a read and its write
// stay together.
func TestReserveBriefly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := fusebillsim.New(fusebillsim.Config{APIKey: testKey, LimitMinute: 10})
		sim.AddCustomers(fusebillsim.Customer{ID: 7})
		client := newTestClient(t, WithTransport(sim.Transport()))
		read := func(ctx context.Context) {
			if _, err := client.Customer(ctx, 7); err != nil {
				t.Error(err)
			}
		}
		read(t.Context()) // The answer shows the limit.
		if _, err := client.Reserve(t.Context(), 5); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		brief, err := client.ReserveBriefly(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 { // Two calls are neither reserved nor used, so the third waits.
			go func() { _, _ = client.Customer(t.Context(), 7) }()
		}
		synctest.Wait()
		for range 2 {
			read(brief.Context(t.Context()))
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("the reserved calls took %s", took)
		}
		brief.Release()
	})
}

// Reservations that together exceed a limit which the service has lowered do not block all calls.
func TestReserveBriefly_belowTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := fusebillsim.New(fusebillsim.Config{APIKey: testKey, LimitMinute: 1})
		sim.AddCustomers(fusebillsim.Customer{ID: 7})
		client := newTestClient(t, WithTransport(sim.Transport()))
		for range 2 { // Before the first answer, no limit is known.
			if _, err := client.ReserveBriefly(t.Context(), 2); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			if _, err := client.Customer(t.Context(), 7); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A call that waits for the quota is not sent once it is too late.
func TestSendWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sim := fusebillsim.New(fusebillsim.Config{APIKey: testKey, LimitMinute: 1})
		sim.AddCustomers(fusebillsim.Customer{ID: 7})
		client := newTestClient(t, WithTransport(sim.Transport()))
		for _, want := range []error{nil, ErrTooLate} {
			begin := time.Now()
			ctx := SendWhile(t.Context(), func() bool { return time.Since(begin) < time.Second })
			if _, err := client.Customer(ctx, 7); !errors.Is(err, want) {
				t.Errorf("got error %v, want %v", err, want)
			}
		}
		if n := sim.Count(); n != 1 {
			t.Errorf("%d calls", n)
		}
	})
}
