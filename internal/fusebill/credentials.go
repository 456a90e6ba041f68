package fusebill

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// ParseAPIKey returns the key as it goes behind "Basic " in the Authorization header. White space around it and a
// "Basic " before it, which people copy along, are dropped. An error never shows the key.
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
			return "", errors.New("the API key holds white space or a character that no key has; " +
				"copy it again as Fusebill shows it, in one piece")
		}
	}
	return key, nil
}

// ParseBaseURL checks that the API key may be sent to a URL: it is HTTPS (the API reference: "HTTPS only"), or plain
// HTTP to a loopback address, and has no user, query or fragment. A slash at its end is dropped.
func ParseBaseURL(raw string) (*url.URL, error) {
	base, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return nil, fmt.Errorf("the base URL can't be read: %w", unwrapURLError(err))
	}
	switch {
	case base.Scheme != "https" && base.Scheme != "http" || base.Hostname() == "":
		// What was given isn't shown: where two settings were confused, it's the key.
		return nil, errors.New("the base URL must look like " + DefaultBaseURL)
	case base.User != nil || base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return nil, errors.New("the base URL must have no user, query or fragment")
	case base.Scheme == "http" && !isLoopback(base.Hostname()):
		return nil, fmt.Errorf("the base URL must begin with https://, since the API key would be readable on the way to %s "+
			"(plain HTTP is for loopback addresses only)", base.Host)
	}
	base.Path = strings.TrimRight(base.Path, "/")
	base.RawPath = strings.TrimRight(base.RawPath, "/")
	return base, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
