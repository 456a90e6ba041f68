package fusebill

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// parseAuthorities returns the certificate authorities of the system and those of a PEM text, or
// only those of the text if the system has none that can be read.
//
// It does not use AppendCertsFromPEM of the standard library, which skips unreadable certificates
// without an error.
func parseAuthorities(text []byte) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	found := false
	for rest := bytes.TrimSpace(text); len(rest) > 0; rest = bytes.TrimSpace(rest) {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errors.New("the CA certificate is not in PEM form, " +
				"which begins with -----BEGIN CERTIFICATE-----")
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("the CA certificate contains a %s, which is not a certificate", block.Type)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("the CA certificate cannot be read: %w", err)
		}
		pool.AddCert(certificate)
		found = true
	}
	if !found {
		return nil, errors.New("the CA certificate is empty")
	}
	return pool, nil
}

// CheckCACertificates returns an error if [WithCACertificates] would not accept a text.
func CheckCACertificates(pem []byte) error {
	_, err := parseAuthorities(pem)
	return err
}
