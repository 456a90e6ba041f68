package fusebillsim

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// gzipPool keeps compressors, which are costly to make. Its zero value is ready.
type gzipPool struct {
	writers sync.Pool
}

func (p *gzipPool) compress(body []byte) ([]byte, error) {
	var out bytes.Buffer
	w, ok := p.writers.Get().(*gzip.Writer)
	if !ok {
		var err error
		if w, err = gzip.NewWriterLevel(nil, gzip.BestSpeed); err != nil {
			return nil, fmt.Errorf("fusebillsim: compressing: %w", err)
		}
	}
	defer p.writers.Put(w)
	w.Reset(&out)
	if _, err := w.Write(body); err != nil {
		return nil, fmt.Errorf("fusebillsim: compressing: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("fusebillsim: compressing: %w", err)
	}
	return out.Bytes(), nil
}

// acceptsGzip reports whether the request headers name gzip as an encoding.
func acceptsGzip(h http.Header) bool {
	for _, line := range h.Values("Accept-Encoding") {
		for item := range strings.SplitSeq(line, ",") {
			name, weight, _ := strings.Cut(item, ";")
			refused := strings.ReplaceAll(weight, " ", "") == "q=0"
			if strings.EqualFold(strings.TrimSpace(name), "gzip") && !refused {
				return true
			}
		}
	}
	return false
}
