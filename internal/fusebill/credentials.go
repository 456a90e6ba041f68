package fusebill

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// ParseAPIKey returns the key as it follows "Basic " in the Authorization header. It drops white
// space around the key and a "Basic " before it, which people copy along. An error never shows the
// key.
func ParseAPIKey(raw string) (string, error) {
	key := strings.TrimSpace(raw)
	if scheme, rest, ok := strings.Cut(key, " "); ok && strings.EqualFold(scheme, "Basic") {
		key = strings.TrimSpace(rest)
	}
	if key == "" || strings.EqualFold(key, "Basic") {
		return "", errors.New("the API key is empty")
	}
	for _, r := range key {
		if r <= ' ' || r > '~' {
			return "", errors.New("the API key contains white space or a character that no key has; " +
				"copy it again as Fusebill shows it, in one piece")
		}
	}
	return key, nil
}

// HasUsualForm reports whether a key, in the form that [ParseAPIKey] returns, looks like those that
// Fusebill issues: base64 of "0:" and 64 characters, 88 characters in all. The service answers
// other keys with a 400. Old keys that its support issued may have another form
// (https://developer.staxbill.com/reference/authentication), so a caller should only warn.
func HasUsualForm(key string) bool {
	const length = len("0:") + 64
	decoded, err := base64.StdEncoding.DecodeString(key)
	return err == nil && len(decoded) == length && strings.HasPrefix(string(decoded), "0:")
}

// ParseBaseURL parses a base URL and removes slashes at its end. It returns an error unless the API
// key may be sent to the URL: it must be HTTPS, as the API reference requires, or plain HTTP to a
// loopback address, and have no user, query or fragment.
func ParseBaseURL(raw string) (*url.URL, error) {
	base, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return nil, fmt.Errorf("the base URL cannot be read: %w", unwrapURLError(err))
	}
	switch {
	case base.Scheme != "https" && base.Scheme != "http" || base.Hostname() == "":
		// The error does not show the value, which is the key if a user has confused two settings.
		return nil, errors.New("the base URL must look like " + DefaultBaseURL)
	case base.User != nil || base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return nil, errors.New("the base URL must have no user, query or fragment")
	case base.Scheme == "http" && !isLoopback(base.Hostname()):
		return nil, fmt.Errorf("the base URL must begin with https://, since the API key would be "+
			"readable on the way to %s (plain HTTP is for loopback addresses only)", base.Host)
	}
	base.Path = strings.TrimRight(base.Path, "/")
	base.RawPath = strings.TrimRight(base.RawPath, "/")
	return base, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
