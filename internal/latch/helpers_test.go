package latch

import (
	"net/http"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// newTestClient is a client that reaches a simulator without a socket, and waits next to nothing between retries.
// latency is the time that each call takes in these tests.
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
