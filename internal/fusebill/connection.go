package fusebill

import (
	"context"
	"errors"
	"net"
	"net/http/httptrace"
	"sync/atomic"
)

// connection observes whether a try gets a connection: without one, the service cannot have seen
// the request. The error of the try does not show this, because a timeout while connecting looks
// like a timeout while waiting for the answer.
type connection struct {
	sought, found atomic.Bool
}

func (c *connection) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { c.sought.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { c.found.Store(true) },
	})
}

// isMissing reports whether a try failed because it got no connection. For a transport that does
// not report its connections, an error of dialing decides.
func (c *connection) isMissing(err error) bool {
	if c.sought.Load() {
		return !c.found.Load()
	}
	var network *net.OpError
	return errors.As(err, &network) && network.Op == "dial"
}
