package fusebill

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// parseAuthorities returns the system's certificate authorities and those of a PEM text. Where the system has none that can
// be read, these alone are trusted.
//
// It reads the text by itself: the standard library's AppendCertsFromPEM drops what it can't read without a word.
func parseAuthorities(text []byte) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	found := false
	for rest := bytes.TrimSpace(text); len(rest) > 0; rest = bytes.TrimSpace(rest) {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, errors.New("the CA certificate isn't in PEM form, which begins with -----BEGIN CERTIFICATE-----")
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("the CA certificate holds a %s, which isn't a certificate", block.Type)
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("the CA certificate can't be read: %w", err)
		}
		pool.AddCert(certificate)
		found = true
	}
	if !found {
		return nil, errors.New("the CA certificate is empty")
	}
	return pool, nil
}

// CheckCACertificates says what is wrong with a text for [WithCACertificates].
func CheckCACertificates(pem []byte) error {
	_, err := parseAuthorities(pem)
	return err
}
