package fusebill

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
)

// The promises tested here: a server whose authority is given is trusted, one whose is not is not;
// what cannot be read as a certificate is refused, and never ignored.

// newTLSServer serves a simulator by TLS, and returns the certificate that it signs itself by.
func newTLSServer(t *testing.T) (server *httptest.Server, certificate []byte) {
	t.Helper()
	server = httptest.NewUnstartedServer(newSim(simConfig{}))
	server.Config.ErrorLog = discardLog
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

func TestCACertificates(t *testing.T) {
	t.Parallel()
	server, certificate := newTLSServer(t)
	twice := append(append([]byte("\n"), certificate...), certificate...)
	client := newTestClient(t, WithBaseURL(server.URL+"/v1"), WithCACertificates(twice))
	if customer, err := client.Customer(t.Context(), 1); err != nil || customer.ID != 1 {
		t.Errorf("with the authority: customer %d, error %v", customer.ID, err)
	}
	_, err := newTestClient(t, WithBaseURL(server.URL+"/v1")).Customer(t.Context(), 1)
	if unknown := (*tls.CertificateVerificationError)(nil); !errors.As(err, &unknown) {
		t.Errorf("without it: got %v", err)
	}
}

func TestCACertificatesThatArent(t *testing.T) {
	t.Parallel()
	_, certificate := newTLSServer(t)
	for text, words := range map[string]string{
		"":                        "is empty",
		" \n":                     "is empty",
		"x":                       "is not in PEM form",
		string(certificate) + "x": "is not in PEM form",
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n":         "cannot be read",
		"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n": "contains a RSA PRIVATE KEY",
	} {
		_, err := NewClient(testKey, WithCACertificates([]byte(text)))
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%.40q: got %v", text, err)
		}
		if check := CheckCACertificates([]byte(text)); check == nil || err == nil || check.Error() != err.Error() {
			t.Errorf("%.40q: the check says %v", text, check)
		}
	}
}
