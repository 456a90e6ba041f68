package fusebillsim

import (
	"context"
	"net/http"
	"strconv"
)

// Transport returns a round tripper that hands requests straight to the simulator, whatever their
// host, in the calling goroutine and without a socket. It therefore works in a testing/synctest
// bubble, where a real connection would stop the clock.
//
// It honours the request's context, and returns an error that wraps [io.ErrUnexpectedEOF] where a
// connection would be dropped. Unlike [http.Transport] it never asks for gzip: only a request that
// names gzip gets a compressed answer, and its sender has to decompress it.
func (s *Simulator) Transport() http.RoundTripper {
	return transport{s}
}

type transport struct {
	simulator *Simulator
}

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	if r.Context().Err() != nil {
		return nil, context.Cause(r.Context())
	}
	a, err := t.simulator.respond(r.WithContext(r.Context()))
	if err != nil {
		return nil, err
	}
	return &http.Response{
		Status:        strconv.Itoa(a.status) + " " + http.StatusText(a.status),
		StatusCode:    a.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        a.header,
		Body:          a.reader(r),
		ContentLength: int64(len(a.body)),
		Request:       r,
	}, nil
}
