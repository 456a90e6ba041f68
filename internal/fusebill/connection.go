package fusebill

import (
	"context"
	"errors"
	"net"
	"net/http/httptrace"
	"sync/atomic"
)

// connection watches whether a try gets a connection: without one the service can't have seen the request. The errors
// themselves don't tell: a timeout while connecting looks like one while waiting for the answer.
type connection struct {
	sought, found atomic.Bool
}

func (c *connection) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { c.sought.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { c.found.Store(true) },
	})
}

// isMissing says whether a try failed for want of a connection. A transport that doesn't report on connections is taken at
// its word where the error is one of dialing.
func (c *connection) isMissing(err error) bool {
	if c.sought.Load() {
		return !c.found.Load()
	}
	var network *net.OpError
	return errors.As(err, &network) && network.Op == "dial"
}
