package latch

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/customers"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// newTestClient is a client that reaches a simulator without a socket, and waits next to nothing
// between retries. latency is the time that each call takes in these tests.
const latency = 20 * time.Millisecond

func newTestClient(t testing.TB, sim *fusebillsim.Simulator) *fusebill.Client {
	t.Helper()
	client, err := fusebill.NewClient("key",
		fusebill.WithTransport(sim.Transport()),
		fusebill.WithRetryWait(time.Millisecond, 10*time.Millisecond),
	)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func isList(req *http.Request) bool { return req.URL.Path == "/v1/customers" }

func isPage(req *http.Request) bool { return isList(req) && !req.URL.Query().Has("query") }

// applyOne applies one change, as a single latch does.
func (r *trial) applyOne(ctx context.Context, c Change, reassociate bool) (Result, error) {
	results, err := r.keeper.Apply(ctx, []Change{c}, ApplyOptions{Reassociate: reassociate})
	result := results[c.CustomerID]
	if err == nil {
		err = result.Err
	}
	return result, err
}

func (r *trial) createNow(ctx context.Context, id int64, declared fusebill.Latch, reassociate bool) error {
	_, err := r.applyOne(ctx, Change{CustomerID: id, Declared: declared}, reassociate)
	return err
}

func (r *trial) updateNow(ctx context.Context, id int64, prior, declared fusebill.Latch, reassociate bool) error {
	_, err := r.applyOne(ctx, Change{CustomerID: id, Prior: prior, Declared: declared}, reassociate)
	return err
}

func (r *trial) deleteNow(ctx context.Context, id int64, held fusebill.Latch) (left fusebill.Latch, err error) {
	result, err := r.applyOne(ctx, Change{CustomerID: id, Prior: held}, false)
	return result.Latch, err
}

// tellsOfLoss reports whether an error explains that a customer may not hold what it did.
func tellsOfLoss(err error) bool {
	var (
		lost       *NotRestoredError
		unknown    *fusebill.OutcomeUnknownError
		unexpected *UnexpectedAnswerError
	)
	return errors.As(err, &lost) || errors.As(err, &unknown) || errors.As(err, &unexpected)
}

// newCoordinator returns a coordinator with a reader of its own, as a new provider process has.
func newCoordinator(client *fusebill.Client, options ...Option) *Coordinator {
	return New(client, customers.NewReader(client), options...)
}
