package contract

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// pacer counts calls, and waits for a minute where the account has no call left in the current one.
type pacer struct {
	base  http.RoundTripper
	calls atomic.Int64
	until atomic.Pointer[time.Time]
}

func (p *pacer) RoundTrip(req *http.Request) (*http.Response, error) {
	if until := p.until.Swap(nil); until != nil {
		select {
		case <-time.After(time.Until(*until)):
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	p.calls.Add(1)
	resp, err := p.base.RoundTrip(req)
	if err == nil && resp.Header.Get("X-Rate-Limit-Remaining-Minute") == "0" {
		until := time.Now().Add(time.Minute)
		p.until.Store(&until)
	}
	return resp, err
}

// maxWait bounds a call. It outlasts a wait for the next minute.
const maxWait = 3 * time.Minute

// reply is an answer as the service sent it.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// send makes a single call, without redirects or retries.
func (a *account) send(t *testing.T, via http.RoundTripper, method, path, body string, header ...string) reply {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), maxWait) // Cleanups call it too.
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, a.baseURL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Basic "+a.key)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := via.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err == nil && resp.Header.Get("Content-Encoding") == "gzip" {
		answer, err = decompress(answer)
	}
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, answer}
}

func decompress(body []byte) ([]byte, error) {
	reader, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(reader)
}

func (a *account) get(t *testing.T, path string, header ...string) reply {
	t.Helper()
	return a.send(t, a.pacer, http.MethodGet, path, "", header...)
}

// page returns the path of a page of customers. more are further parameters, names before values.
func page(number, size int, more ...string) string {
	query := url.Values{"pageNumber": {strconv.Itoa(number)}, "pageSize": {strconv.Itoa(size)}}
	for i := 0; i+1 < len(more); i += 2 {
		query.Set(more[i], more[i+1])
	}
	return "/customers?" + query.Encode()
}

// customer is the keys of a customer object.
type customer map[string]json.RawMessage

// customers fails the test unless a reply is a list.
func (r reply) customers(t *testing.T) []customer {
	t.Helper()
	var list []customer
	if err := json.Unmarshal(r.body, &list); err != nil || r.status != http.StatusOK {
		t.Fatalf("status %d, and no list: %v", r.status, err)
	}
	return list
}

// customer fails the test unless a reply is a customer.
func (r reply) customer(t *testing.T) customer {
	t.Helper()
	var c customer
	if err := json.Unmarshal(r.body, &c); err != nil || r.status != http.StatusOK || c == nil {
		t.Fatalf("status %d, and no customer: %v", r.status, err)
	}
	return c
}

// id reads an ID, as a number or a numeric string, or 0 from null.
func (c customer) id(t *testing.T, key string) int64 {
	t.Helper()
	value, ok := c[key]
	if !ok {
		t.Fatalf("a customer without the key %s", key)
	}
	if string(value) == "null" {
		return 0
	}
	id, err := strconv.ParseInt(strings.Trim(string(value), `"`), 10, 64)
	if err != nil {
		t.Fatalf("%s is no integer: %s", key, value)
	}
	return id
}

func (c customer) text(key string) string {
	var text string
	_ = json.Unmarshal(c[key], &text) // null, a number and an absent key are no text.
	return text
}

// latch is the contact and the company of a customer; 0 means none.
type latch struct{ contact, company int64 }

func (c customer) latch(t *testing.T) latch {
	t.Helper()
	return latch{c.id(t, "hubSpotId"), c.id(t, "hubSpotCompanyId")}
}

func (l latch) body(customer int64) string {
	orNull := func(id int64) string {
		if id == 0 {
			return "null"
		}
		return strconv.FormatInt(id, 10)
	}
	return fmt.Sprintf(`{"fusebillId":%d,"hubSpotId":%s,"hubSpotCompanyId":%s}`,
		customer, orNull(l.contact), orNull(l.company))
}

func (a *account) read(t *testing.T, id int64) customer {
	t.Helper()
	return a.get(t, "/customers/"+strconv.FormatInt(id, 10)).customer(t)
}

func (a *account) latch(t *testing.T, id int64, l latch) reply {
	t.Helper()
	return a.send(t, a.pacer, http.MethodPost, "/HubSpot/latchCustomer", l.body(id))
}

func (a *account) unlatch(t *testing.T, id int64) reply {
	t.Helper()
	return a.send(t, a.pacer, http.MethodPost, "/HubSpot/UnlatchCustomer/"+strconv.FormatInt(id, 10), "")
}

// errorForm returns the form of an error's body and the service's words in it.
func (r reply) errorForm() (form, words string) {
	var object struct {
		ErrorID        *int `json:"ErrorId"`
		HTTPStatusCode int  `json:"HttpStatusCode"`
		Errors         []struct{ Key, Value string }
		Message        string
	}
	err := json.Unmarshal(r.body, &object)
	switch {
	case err == nil && object.ErrorID != nil && object.HTTPStatusCode == r.status && len(object.Errors) > 0:
		var all []string
		for _, e := range object.Errors {
			all = append(all, e.Key+": "+e.Value)
		}
		return "Errors", shape(strings.Join(all, "; "))
	case err == nil && object.Message != "":
		return "Message", shape(object.Message)
	default:
		return "neither Errors nor Message", ""
	}
}

// isError fails the test unless a reply has a status and the error body of the API. It returns the
// service's words.
func (r reply) isError(t *testing.T, status int) string {
	t.Helper()
	form, words := r.errorForm()
	if r.status != status || form != "Errors" {
		t.Errorf("status %d, want %d; the body has the form %s: %.200q", r.status, status, form, shape(string(r.body)))
	}
	return words
}
