package customers

import (
	"context"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// latency is how long each call takes in these tests, so there is a time between its question and
// its answer.
const latency = 20 * time.Millisecond

// inBubble runs a test with a clock of its own.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, test)
}

// runInBubble runs a subtest as inBubble does.
func runInBubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { inBubble(t, test) })
}

// pair makes a latch of a contact and a company, 0 for none.
func pair(contact, company int64) fusebill.Latch {
	return fusebill.Latch{HubSpotID: contact, HubSpotCompanyID: company}
}

// contact makes the claim of a contact.
func contact(id int64) fusebill.Claim { return fusebill.Claim{Kind: fusebill.Contact, ID: id} }

// ids returns 1 to n.
func ids(n int64) []int64 {
	all := make([]int64, n)
	for i := range all {
		all[i] = int64(i) + 1
	}
	return all
}

// lastOf returns the n youngest customers of an account of so many, which its first pages do not
// have.
func lastOf(n, customers int64) []int64 { return ids(customers)[customers-n:] }

// sorted returns a map's keys in order.
func sorted[V any](m map[int64]V) []int64 { return slices.Sorted(maps.Keys(m)) }

// newAccount makes an account of customers 1 to n with references C-1 to C-n. Each is latched to
// the contact 100 above its ID.
func newAccount(n int, change ...func(*fusebillsim.Behavior)) *fusebillsim.Simulator {
	sim := fusebillsim.New(fusebillsim.Config{
		APIKey: "key", LimitMinute: 1 << 30, LimitDay: 1 << 30, Behavior: fusebillsim.Behavior{Latency: latency},
	})
	for id := range int64(n) {
		sim.AddCustomers(fusebillsim.Customer{
			ID: id + 1, HubSpotID: id + 101, Reference: "C-" + strconv.FormatInt(id+1, 10),
		})
	}
	for _, c := range change {
		sim.Configure(c)
	}
	return sim
}

// newTestClient is a client that reaches a simulator without a socket, and waits next to nothing
// between retries.
func newTestClient(t testing.TB, sim *fusebillsim.Simulator, options ...fusebill.Option) *fusebill.Client {
	t.Helper()
	client, err := fusebill.NewClient("key", append([]fusebill.Option{
		fusebill.WithTransport(sim.Transport()),
		fusebill.WithRetryWait(time.Millisecond, 10*time.Millisecond),
	}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// newTestReader makes a Reader without retries: one fault is one failed call. Its client has made a
// call already, so it knows its quota and lets calls run side by side.
func newTestReader(t *testing.T, sim *fusebillsim.Simulator, options ...fusebill.Option) *Reader {
	t.Helper()
	client := newTestClient(t, sim, append([]fusebill.Option{fusebill.WithMaxRetries(0)}, options...)...)
	if _, err := client.Customer(t.Context(), 1); err != nil && !fusebill.IsNotFound(err) {
		t.Fatal(err)
	}
	sim.ResetCalls()
	return NewReader(client)
}

// withoutPages makes a Reader believe in an account that is too large to be read for a test's
// reads.
func withoutPages(r *Reader) *Reader {
	r.account.size, r.account.isSizeWrong = 1000*pageSize, true
	return r
}

// answer is the result of a read, and when it came.
type answer struct {
	latch fusebill.Latch
	err   error
	at    time.Time
}

// begin begins a read and lets it get as far as it can before time passes.
func begin(read func() (fusebill.Customer, error)) <-chan answer {
	answers := make(chan answer, 1)
	go func() {
		customer, err := read()
		answers <- answer{LatchOf(customer), err, time.Now()}
	}()
	synctest.Wait()
	return answers
}

// beginReads begins reads of several customers at once.
func beginReads(ctx context.Context, r *Reader, ids ...int64) []<-chan answer {
	var all []<-chan answer
	for _, id := range ids {
		all = append(all, begin(func() (fusebill.Customer, error) { return r.Customer(ctx, id) }))
	}
	return all
}

// beginAccount begins a read of the whole account, of any size.
func beginAccount(ctx context.Context, r *Reader, age time.Duration) <-chan answer {
	return begin(func() (fusebill.Customer, error) { return fusebill.Customer{}, r.ReadAccount(ctx, age, 1000) })
}

// readOne reads a customer.
func readOne(t *testing.T, r *Reader, id int64) answer {
	t.Helper()
	return <-begin(func() (fusebill.Customer, error) { return r.Customer(t.Context(), id) })
}

// readAll reads customers as Terraform does: one after another from so many workers, with a moment
// of its own work between two reads.
func readAll(t *testing.T, ids []int64, parallelism int, read func(context.Context, int64) (fusebill.Customer, error)) {
	t.Helper()
	work := make(chan int64)
	var workers sync.WaitGroup
	for range parallelism {
		workers.Go(func() {
			for id := range work {
				if _, err := read(t.Context(), id); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, id := range ids {
		work <- id
		time.Sleep(time.Millisecond) // Terraform's own work for one resource.
	}
	close(work)
	workers.Wait()
}

// write writes a latch as a change does.
func write(t *testing.T, r *Reader, id int64, latch fusebill.Latch) {
	t.Helper()
	r.BeginWrite(id)
	customer, err := r.client.Latch(t.Context(), id, latch)
	if err != nil {
		t.Fatal(err)
	}
	r.EndWrite(id, &customer)
}

// wantContact fails unless a read found a contact.
func wantContact(t *testing.T, got answer, contact int64) {
	t.Helper()
	if want := pair(contact, 0); got.err != nil || got.latch != want {
		t.Errorf("got %s and error %v, want %s", got.latch, got.err, want)
	}
}

// wantHolders fails unless these customers may hold a contact, and no others.
func wantHolders(t *testing.T, r *Reader, id int64, want ...int64) {
	t.Helper()
	if got := r.Holders(contact(id)); !slices.Equal(got, want) {
		t.Errorf("customers %v are said to hold contact %d, want %v", got, id, want)
	}
}

// wantCalls fails unless so many customers were read individually, and so many lists, since the
// last time.
func wantCalls(t *testing.T, sim *fusebillsim.Simulator, singles, lists int) {
	t.Helper()
	gotSingles, gotLists := sim.Count(fusebillsim.RouteCustomer), sim.Count(fusebillsim.RouteCustomers)
	if gotSingles != singles || gotLists != lists {
		t.Errorf("%d single reads and %d lists, want %d and %d", gotSingles, gotLists, singles, lists)
		for _, request := range sim.Requests() {
			t.Logf("%s %s?%s: %d", request.Time.Format("05.000"), request.Path, request.RawQuery, request.Status)
		}
	}
	sim.ResetCalls()
}

// isList, isBatch and isPage report whether a request is a list call, one for customers by their
// IDs, and one for a page of the account.
func isList(req *http.Request) bool  { return req.URL.Path == "/v1/customers" }
func isBatch(req *http.Request) bool { return isList(req) && req.URL.Query().Has("query") }
func isPage(req *http.Request) bool  { return isList(req) && !req.URL.Query().Has("query") }

// changed is a transport to a simulator that changes the answers to some requests.
func changed(
	sim *fusebillsim.Simulator, isChanged func(*http.Request) bool, change func(*http.Response),
) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		resp, err := sim.Transport().RoundTrip(req)
		if err == nil && isChanged(req) {
			change(resp)
		}
		return resp, err
	})
}

// answerWith makes an answer with a JSON body.
func answerWith(req *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Request: req, Body: io.NopCloser(strings.NewReader(body)),
		Header: http.Header{"Content-Type": {"application/json"}},
	}
}

// roundTripper is a transport for what the simulator has no switch for.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func beforeWrite(ctx context.Context, r *Reader, id int64) (fusebill.Customer, error) {
	customer, _, err := r.CustomerBeforeWrite(ctx, id)
	return customer, err
}

// transportOf makes a client send its requests through a function.
func transportOf(roundTrip roundTripper) fusebill.Option { return fusebill.WithTransport(roundTrip) }
