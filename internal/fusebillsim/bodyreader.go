package fusebillsim

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

// bodyReader is the body of an answer while it is sent: whole, slowly, or cut off. It ends with the
// request's context.
type bodyReader struct {
	ctx   context.Context // of the request
	rest  []byte
	pause time.Duration // before each piece of dripSize bytes
	end   error         // the error after the last byte; nil is io.EOF
}

func (b *bodyReader) Read(p []byte) (int, error) {
	if b.ctx.Err() != nil {
		return 0, context.Cause(b.ctx)
	}
	if len(b.rest) == 0 {
		if b.end != nil {
			return 0, b.end
		}
		return 0, io.EOF
	}
	if b.pause > 0 {
		if err := wait(b.ctx, b.pause); err != nil {
			return 0, err
		}
		p = p[:min(len(p), dripSize)]
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// Close does nothing, because there is no connection.
func (b *bodyReader) Close() error { return nil }

// copyTo sends the body through w, each piece at once if it is slow or cut off.
func (b *bodyReader) copyTo(w http.ResponseWriter) error {
	if b.pause == 0 && b.end == nil {
		_, err := w.Write(b.rest) //nolint:gosec // G705: the body is JSON, for a program
		return err
	}
	flusher := http.NewResponseController(w)
	piece := make([]byte, dripSize)
	for {
		n, err := b.Read(piece)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := w.Write(piece[:n]); err != nil {
			return err
		}
		if err := flusher.Flush(); err != nil {
			return err
		}
	}
}
