package fusebillsim

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"time"
)

// answer is a response before it is sent. The body must not be changed in place, because it may be
// the stored encoding of a customer.
type answer struct {
	status int
	header http.Header
	body   []byte

	foreign bool          // made by a proxy in front of the service
	cut     bool          // the connection is lost half-way through the body
	drip    time.Duration // the pause before each piece of the body
}

const jsonType = "application/json; charset=utf-8"

func newAnswer(status int, contentType string, body []byte) *answer {
	h := make(http.Header, 16)
	h.Set("Content-Type", contentType)
	return &answer{status: status, header: h, body: body}
}

// errorBody is the body of every error of the service.
type errorBody struct {
	ErrorID        int           `json:"ErrorId"`
	HTTPStatusCode int           `json:"HttpStatusCode"`
	Errors         []errorDetail `json:"Errors"`
}

type errorDetail struct {
	Key   string `json:"Key"`
	Value string `json:"Value"`
}

func errorAnswer(status int, text string) *answer {
	return newAnswer(status, jsonType, mustMarshal(errorBody{
		HTTPStatusCode: status,
		Errors:         []errorDetail{{Key: "Api Error", Value: text}},
	}))
}

func badRequest(err error) *answer {
	return errorAnswer(http.StatusBadRequest, err.Error())
}

func noSuchCustomer(b *Behavior, id int64) *answer {
	text := fmt.Sprintf("Customer with id %d was not found.", id)
	if b.NotFoundAsMessage {
		return messageAnswer(http.StatusNotFound, text)
	}
	return errorAnswer(http.StatusNotFound, text)
}

// noSuchRoute returns the answer of the service's framework, ASP.NET Web API, to an unknown route.
func noSuchRoute(c *call) *answer {
	target := url.URL{Scheme: scheme(c.Request), Host: host(c.Request), Path: c.URL.Path, RawQuery: c.URL.RawQuery}
	return messageAnswer(http.StatusNotFound,
		fmt.Sprintf("No HTTP resource was found that matches the request URI '%s'.", &target))
}

// messageAnswer returns an answer with the error body of the service's framework.
func messageAnswer(status int, text string) *answer {
	return newAnswer(status, jsonType, mustMarshal(map[string]string{"Message": text}))
}

// dripSize is the length in bytes of a piece of a slowly sent body.
const dripSize = 256

// reader returns the body as the client receives it.
func (a *answer) reader(r *http.Request) *bodyReader {
	b := &bodyReader{ctx: r.Context(), rest: a.body, pause: a.drip}
	if a.cut {
		b.rest, b.end = a.body[:len(a.body)/2], errDropped
	}
	return b
}

// write sends the answer to w. As in a handler, a panic drops the connection.
func (a *answer) write(w http.ResponseWriter, r *http.Request) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
	if err := a.reader(r).copyTo(w); err != nil {
		panic(http.ErrAbortHandler)
	}
}
