package fusebill

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// These tests use real sockets. The promises tested here: proxies and certificate authorities are
// as the environment says, and no key goes to a proxy; an answer is bounded, however it is packed.
// That old TLS is refused is tested in connection_test.go, what redirects do in retry_test.go.

// A small body may well become a large one.
func TestGzipBomb(t *testing.T) {
	t.Parallel()
	var mebibyte bytes.Buffer
	packer := gzip.NewWriter(&mebibyte)
	_, _ = io.CopyN(packer, new(endless), 1<<20)
	_ = packer.Close()
	packed := bytes.Repeat(mebibyte.Bytes(), maxAnswerSize>>20+1) // gzip allows parts.
	if len(packed) > 1<<20 {
		t.Fatalf("the packed answer has %d bytes, which is no bomb", len(packed))
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed)
	}))
	defer server.Close()
	_, err := newTestClient(t, WithBaseURL(server.URL), WithMaxRetries(0)).Customer(t.Context(), 7)
	if err == nil || !strings.Contains(err.Error(), "the answer is larger than 64 MiB") {
		t.Errorf("got %v", err)
	}
}

func TestOversizeHeader(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", 1<<20))
		fmt.Fprint(w, "{}")
	}))
	defer server.Close()
	_, err := newTestClient(t, WithBaseURL(server.URL), WithMaxRetries(0)).Customer(t.Context(), 7)
	if err == nil || !strings.Contains(err.Error(), "headers exceeded 65536 bytes") {
		t.Errorf("got %v", err)
	}
}

// The standard library reads proxies and authorities from the environment once for each process, so
// that each of these is one of its own: TestInEnvironment.

const envTestURL = "FUSEBILL_TEST_URL"

// TestInEnvironment makes one call, with nothing but the environment to say how.
func TestInEnvironment(t *testing.T) {
	url := os.Getenv(envTestURL)
	if url == "" {
		t.Skip("The other tests run this one.")
	}
	if _, err := newTestClient(t, WithBaseURL(url), WithMaxRetries(0)).Customer(t.Context(), 1); err != nil {
		t.Error(err)
	}
}

// callIn runs TestInEnvironment, and returns what it printed.
func callIn(t *testing.T, url string, environment ...string) (output string, succeeded bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestInEnvironment$", "-test.v")
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); !strings.HasSuffix(strings.ToLower(name), "_proxy") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.Env = append(append(cmd.Env, envTestURL+"="+url), environment...)
	text, err := cmd.CombinedOutput()
	requireNoKey(t, "the output", string(text))
	return string(text), err == nil
}

// trusting writes what SSL_CERT_FILE names, which stands for the system's store where Go reads that
// from files.
func trusting(t *testing.T, certificate []byte) string {
	t.Helper()
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skip("The store of " + runtime.GOOS + " is not made of files.")
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	return "SSL_CERT_FILE=" + file
}

func TestSystemAuthorities(t *testing.T) {
	t.Parallel()
	server, certificate := newTLSServer(t)
	if output, ok := callIn(t, server.URL+"/v1", trusting(t, certificate)); !ok {
		t.Errorf("with the authority in the system's store:\n%s", output)
	}
	if output, ok := callIn(t, server.URL+"/v1"); ok || !strings.Contains(output, "unknown authority") {
		t.Errorf("without it:\n%s", output)
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	server, certificate := newTLSServer(t)
	proxy := newProxy(t, server.Listener.Addr().String())
	// The certificate is for this name, too, and no one but the proxy knows that it is here.
	output, ok := callIn(t, "https://example.com/v1", trusting(t, certificate), "HTTPS_PROXY="+proxy.url)
	if asked := proxy.asked(); !ok || len(asked) != 1 || asked[0].RequestURI != "example.com:443" {
		t.Fatalf("the proxy was asked %d times:\n%s", len(asked), output)
	} else if auth := asked[0].Header["Authorization"]; auth != nil {
		t.Error("the proxy got an Authorization header")
	}
}

func TestNoProxy(t *testing.T) {
	t.Parallel()
	server, certificate := newTLSServer(t)
	proxy := newProxy(t, server.Listener.Addr().String())
	// Nobody can resolve the name.
	output, ok := callIn(t, "https://fusebill.invalid/v1", trusting(t, certificate), "HTTPS_PROXY="+proxy.url,
		"NO_PROXY=fusebill.invalid")
	if asked := proxy.asked(); ok || len(asked) != 0 {
		t.Errorf("the proxy was asked %d times:\n%s", len(asked), output)
	}
}

// A connection dies without a word: a NAT forgets it, or a machine that slept wakes up. The next
// try takes a new one.
func TestDeadConnection(t *testing.T) {
	t.Parallel()
	for name, isHTTP2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(newSim(simConfig{}))
			server.Config.ErrorLog = discardLog
			server.EnableHTTP2 = isHTTP2
			server.StartTLS()
			t.Cleanup(server.Close)
			certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
			hole := newBlackHole(t, server.Listener.Addr().String())
			client := newTestClient(t, WithBaseURL("https://"+hole.listener.Addr().String()+"/v1"),
				WithCACertificates(certificate),
				WithMaxRetries(1), WithRetryWait(0, 0), WithRequestTimeout(3*time.Second))
			var group sync.WaitGroup
			for range 5 { // Connections of HTTP/1.1 are many, and all of them die.
				group.Go(func() {
					if _, err := client.Customer(t.Context(), 1); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			before := hole.swallow()
			for range 2 { // Also calls side by side, which keep the connection in use.
				group.Go(func() {
					if _, err := client.Customer(t.Context(), 1); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			if isHTTP2 && before != 1 || hole.count() == before {
				t.Errorf("%d connections, and then %d", before, hole.count())
			}
		})
	}
}

// blackHole passes connections on to one server, until it swallows what comes over them without
// closing them.
type blackHole struct {
	listener net.Listener
	mu       sync.Mutex
	alive    []*atomic.Bool // of each connection
	closers  []io.Closer    // of both sides
}

func newBlackHole(t *testing.T, target string) *blackHole {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hole := &blackHole{listener: listener}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			here, err := listener.Accept()
			if err != nil {
				return
			}
			there, err := new(net.Dialer).DialContext(context.Background(), "tcp", target)
			if err != nil {
				t.Error(err)
				return
			}
			isAlive := new(atomic.Bool)
			isAlive.Store(true)
			hole.mu.Lock()
			hole.alive = append(hole.alive, isAlive)
			hole.closers = append(hole.closers, here, there)
			hole.mu.Unlock()
			group.Go(func() { pass(here, swallowing{there, isAlive}) })
			group.Go(func() { pass(there, swallowing{here, isAlive}) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		hole.mu.Lock()
		for _, closer := range hole.closers {
			_ = closer.Close()
		}
		hole.mu.Unlock()
		group.Wait()
	})
	return hole
}

func (h *blackHole) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.alive)
}

// swallow makes the connections dead that exist by now, and returns their number.
func (h *blackHole) swallow() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, isAlive := range h.alive {
		isAlive.Store(false)
	}
	return len(h.alive)
}

// swallowing reads from one end of a connection. Bytes that arrive after its death are lost.
type swallowing struct {
	io.Reader
	isAlive *atomic.Bool
}

func (s swallowing) Read(p []byte) (int, error) {
	for {
		n, err := s.Reader.Read(p)
		if err != nil || s.isAlive.Load() {
			return n, err
		}
	}
}

// proxy is one that knows CONNECT, and leads everything to one server.
type proxy struct {
	url      string
	requests chan *http.Request
}

func newProxy(t *testing.T, target string) proxy {
	t.Helper()
	p := proxy{requests: make(chan *http.Request, 100)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.requests <- r
		if r.Method != http.MethodConnect {
			t.Errorf("the proxy got a %s: a call that it can read", r.Method)
			return
		}
		tunnel(t, w, target)
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

// asked returns the requests so far.
func (p proxy) asked() []*http.Request {
	var all []*http.Request
	for {
		select {
		case r := <-p.requests:
			all = append(all, r)
		default:
			return all
		}
	}
}

// tunnel passes bytes on both ways until both sides have ended.
func tunnel(t *testing.T, w http.ResponseWriter, target string) {
	there, err := new(net.Dialer).DialContext(context.Background(), "tcp", target)
	if err != nil {
		t.Error(err)
		return
	}
	here, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	fmt.Fprint(here, "HTTP/1.1 200 Connection established\r\n\r\n")
	back := make(chan struct{})
	go func() {
		defer close(back)
		pass(here, there)
	}()
	pass(there, buffered)
	<-back
}

// pass ends the target where the source has ended.
func pass(target io.WriteCloser, source io.Reader) {
	defer target.Close()
	_, _ = io.Copy(target, source)
}
