package acceptance

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"maps"
	"math"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// front serves a simulated account, and plays tricks that the simulator cannot play, such as those
// that need TLS, HTTP/2 or another host. The matrix of faults is in faults_matrix_test.go.
type front struct {
	t         *testing.T
	sim       *fusebillsim.Simulator
	authority string // the certificate to trust, in PEM form; "" without TLS

	mu      sync.Mutex
	tricks  []*trick
	expired atomic.Int64 // handshakes left that show an expired certificate; negative: all
	shown   atomic.Int64 // handshakes that have shown one
}

// trick is played on calls of a route, in place of passing them on.
type trick struct {
	route fusebillsim.Route
	left  int // calls to meet; negative: all
	meets func(*http.Request) bool
	play  trickster
}

type trickster func(w http.ResponseWriter, r *http.Request, next http.Handler)

// speaks is how an account is served.
type speaks int

const (
	plainHTTP speaks = iota
	tlsHTTP
	http2
)

// newFront serves an account.
func newFront(t *testing.T, how speaks, customers ...acctest.Customer) (*front, acctest.Account) {
	t.Helper()
	sim := fusebillsim.New(fusebillsim.Config{
		APIKey: acctest.APIKey, LimitMinute: 1 << 30, LimitDay: 1 << 30, Minute: time.Second,
	})
	for _, c := range customers {
		sim.AddCustomers(fusebillsim.Customer{ID: c.ID, HubSpotID: c.Contact, HubSpotCompanyID: c.Company})
	}
	f := &front{t: t, sim: sim}
	server := httptest.NewUnstartedServer(f)
	server.Config.ErrorLog = log.New(f, "", 0)
	if how == plainHTTP {
		server.Start()
	} else {
		certificates := newCertificates(t)
		f.authority = certificates.authority
		config := f.config(certificates)
		if how == tlsHTTP {
			server.EnableHTTP2, server.TLS = true, config
			server.StartTLS()
		} else {
			takeHold(server, config)
			server.URL = "https://" + server.Listener.Addr().String()
		}
	}
	t.Cleanup(server.Close)
	return f, acctest.Account{Simulator: sim, URL: server.URL + "/v1"}
}

// Write reads the server's log. The log shows calls that came without TLS, with a key that anyone
// can read.
func (f *front) Write(line []byte) (int, error) {
	if strings.Contains(string(line), "HTTP request to an HTTPS server") {
		f.t.Errorf("a call was made without TLS: %s", line)
	}
	return len(line), nil
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if trick := f.due(r); trick != nil {
		trick.play(w, r, f.sim)
		return
	}
	f.sim.ServeHTTP(w, r)
}

// due returns the trick that a call meets, if any.
func (f *front) due(r *http.Request) *trick {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	rewind := func() { r.Body = io.NopCloser(bytes.NewReader(body)) }
	defer rewind()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, trick := range f.tricks {
		rewind()
		if trick.route == routeOf(r) && trick.left != 0 && trick.meets(r) {
			trick.left--
			return trick
		}
	}
	return nil
}

// routeOf returns the route of a call.
func routeOf(r *http.Request) fusebillsim.Route {
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/latchCustomer"):
		return fusebillsim.RouteLatch
	case r.Method == http.MethodPost:
		return fusebillsim.RouteUnlatch
	case strings.HasSuffix(path, "/customers"):
		return fusebillsim.RouteCustomers
	default:
		return fusebillsim.RouteCustomer
	}
}

// play plays a trick until off is called.
func (f *front) play(t trick) (off func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tricks = append(f.tricks, &t)
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.tricks = nil
	}
}

// redirect sends calls elsewhere, with their method and body.
func redirect(target func(*http.Request) string) trickster {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		http.Redirect(w, r, target(r)+r.URL.RequestURI(), http.StatusTemporaryRedirect)
	}
}

func withoutTLS(r *http.Request) string { return "http://" + r.Host }

// elsewhere serves another host, to which no call may come. The client trusts it as it trusts the
// account, so only the provider's own rule keeps the key from it.
func elsewhere(t *testing.T) func(*http.Request) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another host was called: %s %s, with a key: %v", r.Method, r.URL, r.Header.Get("Authorization") != "")
	}))
	t.Cleanup(server.Close)
	return func(*http.Request) string { return server.URL }
}

// aboutAnother answers a read with another customer.
func aboutAnother(customer int64) trickster {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		r = r.Clone(r.Context())
		query := r.URL.Query()
		switch {
		case routeOf(r) == fusebillsim.RouteCustomer:
			r.URL.Path = r.URL.Path[:strings.LastIndexByte(r.URL.Path, '/')+1] + fmt.Sprint(customer)
		case query.Get("query") != "": // A list of all cannot be about another customer.
			query.Set("query", fmt.Sprintf("id:%d", customer))
			r.URL.RawQuery = query.Encode()
		}
		next.ServeHTTP(w, r)
	}
}

// withoutLatches passes calls on and removes the HubSpot IDs from the answers.
func withoutLatches(w http.ResponseWriter, r *http.Request, next http.Handler) {
	r.Header.Del("Accept-Encoding")
	recorder := httptest.NewRecorder()
	next.ServeHTTP(recorder, r)
	decoder := json.NewDecoder(recorder.Body)
	decoder.UseNumber()
	var answer any
	if err := decoder.Decode(&answer); err != nil {
		panic(err)
	}
	entries, isList := answer.([]any)
	if !isList {
		entries = []any{answer}
	}
	for _, entry := range entries {
		if object, ok := entry.(map[string]any); ok {
			delete(object, "hubSpotId")
			delete(object, "hubSpotCompanyId")
		}
	}
	body, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	maps.Copy(w.Header(), recorder.Header())
	w.Header().Del("Content-Length")
	w.WriteHeader(recorder.Code)
	_, _ = w.Write(body)
}

// goAway passes calls on and closes the connection in place of the answer. The client learns that
// the server takes no more calls, and not whether this one was made.
func goAway(_ http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(httptest.NewRecorder(), r)
	if conn, ok := r.Context().Value(heldConnKey{}).(net.Conn); ok {
		frame := []byte{0, 0, 8, 7, 0, 0, 0, 0, 0} // RFC 9113: 8 bytes of payload, GOAWAY, no flags, the connection itself
		frame = binary.BigEndian.AppendUint32(frame, math.MaxInt32)
		frame = binary.BigEndian.AppendUint32(frame, 0) // no error
		_, _ = conn.Write(frame)
		_ = conn.Close()
	}
	panic(http.ErrAbortHandler)
}

type heldConnKey struct{}

// heldListener terminates TLS. The server then sees HTTP/2 alone, on connections that tricks can
// use.
type heldListener struct {
	net.Listener
	config *tls.Config
}

type heldConn struct{ net.Conn }

func (l heldListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return heldConn{tls.Server(conn, l.config)}, nil
}

// takeHold starts a server behind a [heldListener].
func takeHold(server *httptest.Server, config *tls.Config) {
	server.Listener = heldListener{server.Listener, config}
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Config.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, heldConnKey{}, conn)
	}
	server.Start()
}

// expire shows an expired certificate to this number of new connections.
func (f *front) expire(times int) (off func()) {
	f.expired.Store(int64(times))
	return func() { f.expired.Store(0) }
}

// config returns the TLS configuration, which decides on the certificate of each connection. The
// server of httptest has a certificate of its own, and would show it to a host without a name.
func (f *front) config(all certificates) *tls.Config {
	base := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2"}}
	base.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		config := base.Clone()
		config.Certificates = []tls.Certificate{all.valid}
		if f.hasExpired() {
			config.Certificates = []tls.Certificate{all.expired}
		}
		return config, nil
	}
	return base
}

// hasExpired reports whether a connection is shown an expired certificate, and counts it.
func (f *front) hasExpired() bool {
	for {
		left := f.expired.Load()
		if left == 0 {
			return false
		}
		if f.expired.CompareAndSwap(left, left-1) {
			f.shown.Add(1)
			return true
		}
	}
}

// certificates are the certificates of a server, signed by an authority made for the test.
type certificates struct {
	authority      string
	valid, expired tls.Certificate
}

func newCertificates(t *testing.T) certificates {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test authority"},
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage:  x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0),
	}
	sign := func(certificate *x509.Certificate) []byte {
		signed, err := x509.CreateCertificate(rand.Reader, certificate, authority, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	server := func(serial int64, until time.Time) tls.Certificate {
		return tls.Certificate{PrivateKey: key, Certificate: [][]byte{sign(&x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "Test account"},
			IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
			KeyUsage:    x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
			NotBefore: now.AddDate(0, -1, 0), NotAfter: until,
		})}}
	}
	var text bytes.Buffer
	if err := pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: sign(authority)}); err != nil {
		t.Fatal(err)
	}
	return certificates{text.String(), server(2, now.AddDate(0, 1, 0)), server(3, now.AddDate(0, 0, -1))}
}

// allRoutes are the calls of the API that the provider makes.
var allRoutes = slices.Concat(lists, singles, changes)

var (
	lists   = []fusebillsim.Route{fusebillsim.RouteCustomers}
	singles = []fusebillsim.Route{fusebillsim.RouteCustomer}
	changes = []fusebillsim.Route{fusebillsim.RouteLatch, fusebillsim.RouteUnlatch}
)
