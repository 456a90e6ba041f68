package fusebill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNewClientRefusesInvalidOptions(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]Option{
		"base URL":             WithBaseURL("http://fusebill.example/v1"),
		"max retries":          WithMaxRetries(-1),
		"request timeout":      WithRequestTimeout(0),
		"requests per minute":  WithRequestsPerMinute(0),
		"retry wait":           WithRetryWait(time.Minute, time.Second),
		"negative retry wait":  WithRetryWait(-time.Second, time.Second),
		"negative time bounds": WithRequestTimeout(-time.Second),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := NewClient(testKey, option)
			if err == nil || client != nil {
				t.Fatalf("got client %v, error %v", client, err)
			}
			requireNoKey(t, "the error", err.Error())
		})
	}
	if _, err := NewClient("  "); err == nil {
		t.Error("an empty key was accepted")
	}
}

func TestNewClientMakesNoCall(t *testing.T) {
	t.Parallel()
	newTestClient(t, WithTransport(roundTripper(func(*http.Request) (*http.Response, error) {
		t.Error("a call was made")
		return nil, errors.New("no")
	})))
}

// wire is what of a request the API sees.
type wire struct {
	Method, Path, RawQuery, ContentType, ContentLength, UserAgent, Accept, Body string
	Authorization                                                               []string
}

func TestRequestsOnTheWire(t *testing.T) {
	t.Parallel()
	answer := `{"id":7,"hubSpotId":null,"hubSpotCompanyId":null}`
	tests := map[string]struct {
		call   func(context.Context, *Client) error
		answer string
		want   wire
	}{
		"customer": {
			func(ctx context.Context, c *Client) error { _, err := c.Customer(ctx, 7); return err },
			answer, wire{Method: "GET", Path: "/some/v1/customers/7"},
		},
		"latch": {
			func(ctx context.Context, c *Client) error {
				_, err := c.Latch(ctx, 7, Latch{HubSpotID: 9007199254740993, HubSpotCompanyID: 202})
				return err
			},
			answer, wire{
				Method: "POST", Path: "/some/v1/HubSpot/latchCustomer", ContentType: "application/json",
				ContentLength: "68",
				Body:          `{"fusebillId":7,"hubSpotId":9007199254740993,"hubSpotCompanyId":202}`,
			},
		},
		"latch to nothing sends nulls": {
			func(ctx context.Context, c *Client) error { _, err := c.Latch(ctx, 7, Latch{}); return err },
			answer, wire{
				Method: "POST", Path: "/some/v1/HubSpot/latchCustomer", ContentType: "application/json",
				ContentLength: "56",
				Body:          `{"fusebillId":7,"hubSpotId":null,"hubSpotCompanyId":null}`,
			},
		},
		"latch to a contact alone": {
			func(ctx context.Context, c *Client) error { _, err := c.Latch(ctx, 7, Latch{HubSpotID: 1}); return err },
			answer, wire{
				Method: "POST", Path: "/some/v1/HubSpot/latchCustomer", ContentType: "application/json",
				ContentLength: "53",
				Body:          `{"fusebillId":7,"hubSpotId":1,"hubSpotCompanyId":null}`,
			},
		},
		"unlatch": {
			func(ctx context.Context, c *Client) error { _, err := c.Unlatch(ctx, 7); return err },
			answer, wire{Method: "POST", Path: "/some/v1/HubSpot/UnlatchCustomer/7", ContentLength: "0"},
		},
		"page": {
			func(ctx context.Context, c *Client) error {
				_, err := c.Customers(ctx, CustomersRequest{PageNumber: 3})
				return err
			},
			`[]`, wire{
				Method: "GET", Path: "/some/v1/customers",
				RawQuery: "pageNumber=3&pageSize=1000&sortExpression=createdTimestamp&sortOrder=Ascending",
			},
		},
		"IDs": {
			func(ctx context.Context, c *Client) error {
				_, err := c.Customers(ctx, CustomersRequest{IDs: []int64{7, 8}, PageSize: 2})
				return err
			},
			`[]`, wire{Method: "GET", Path: "/some/v1/customers", RawQuery: "pageNumber=0&pageSize=2&query=id%3A7%2C8"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got wire
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				got = wire{
					Method: r.Method, Path: r.URL.Path, RawQuery: r.URL.RawQuery, Body: string(body),
					ContentType: r.Header.Get("Content-Type"), ContentLength: r.Header.Get("Content-Length"),
					UserAgent: r.UserAgent(), Accept: r.Header.Get("Accept"), Authorization: r.Header["Authorization"],
				}
				fmt.Fprint(w, test.answer)
			}))
			defer server.Close()
			client := newTestClient(t, WithBaseURL(server.URL+"/some/v1/"), WithUserAgent("test/1.0"))
			if err := test.call(t.Context(), client); err != nil {
				t.Fatal(err)
			}
			want := test.want
			want.UserAgent, want.Accept, want.Authorization = "test/1.0", "application/json",
				[]string{"Basic " + testKey}
			if test.want.Body != "" {
				want.ContentLength = fmt.Sprint(len(test.want.Body))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCompressedAnswers(t *testing.T) {
	t.Parallel()
	sim := newSim(simConfig{})
	sim.AddSampleCustomers(100)
	var encoding string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sim.ServeHTTP(w, r)
		encoding = w.Header().Get("Content-Encoding")
	}))
	defer server.Close()
	client := newTestClient(t, WithBaseURL(server.URL+"/v1"))
	page, err := client.Customers(t.Context(), CustomersRequest{})
	if err != nil || len(page.Customers) != 103 {
		t.Errorf("%d customers, error %v", len(page.Customers), err)
	}
	if encoding != "gzip" {
		t.Errorf("the answer came as %q", encoding)
	}
}

func TestClientDumpsWithoutKey(t *testing.T) {
	t.Parallel()
	client := newTestClient(t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		requireNoKey(t, verb+" of a pointer", fmt.Sprintf(verb, client))
		requireNoKey(t, verb+" of its transport", fmt.Sprintf(verb, *client.retry.HTTPClient))
		requireNoKey(t, verb+" of its innermost", fmt.Sprintf(verb, client.retry.HTTPClient.Transport))
	}
}

// The caller's own end decides the error, and stays recognizable whatever cause was given.
func TestCancelCause(t *testing.T) {
	t.Parallel()
	cause := errors.New("the run was interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	client := newTestClient(t, WithTransport(roundTripper(func(req *http.Request) (*http.Response, error) {
		cancel(cause)
		return nil, req.Context().Err()
	})))
	_, err := client.Customer(ctx, 1)
	if !errors.Is(err, context.Canceled) || !errors.Is(err, cause) {
		t.Errorf("got %v", err)
	}
}

// An answer that came counts, even if the caller has ended by then: what was done is known.
func TestAnswerBeatsCancellation(t *testing.T) {
	t.Parallel()
	for status, body := range map[int]string{
		200: `{"id":7,"hubSpotId":1,"hubSpotCompanyId":null}`,
		409: `{"Errors":[{"Key":"Api Error","Value":"held by another"}]}`,
	} {
		ctx, cancel := context.WithCancel(t.Context())
		client := newTestClient(t, WithTransport(roundTripper(func(*http.Request) (*http.Response, error) {
			cancel()
			return textAnswer(status, body), nil
		})))
		customer, err := client.Latch(ctx, 7, Latch{HubSpotID: 1})
		var apiErr *APIError
		switch {
		case status == 200 && (err != nil || *customer.Latch != Latch{HubSpotID: 1}):
			t.Errorf("%d: got %v, %v", status, customer, err)
		case status == 409 && (!errors.As(err, &apiErr) || isOutcomeUnknown(err) ||
			!strings.Contains(err.Error(), "held by another")):
			t.Errorf("%d: got %v", status, err)
		}
	}
}

func isOutcomeUnknown(err error) bool {
	var unknown *OutcomeUnknownError
	return errors.As(err, &unknown)
}
