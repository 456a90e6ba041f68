package fusebillsim

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// DefaultAPIKey is the key of a simulator whose [Config] has none. It has the form of the keys that
// the service issues: base64 of "0:" and 64 characters.
var DefaultAPIKey = base64.StdEncoding.EncodeToString([]byte(keyPrefix + strings.Repeat("simulate", keyLength/8)))

const (
	keyPrefix = "0:"
	keyLength = 64 // without the prefix
)

// hasKey reports whether r carries the right API key.
func (s *Simulator) hasKey(r *http.Request) bool {
	key, ok := basicKey(r)
	return ok && key == s.apiKey
}

// refuseKey returns the answer to a request without the right API key, or nil if it has that key.
// The configured key is right whatever its form.
func (s *Simulator) refuseKey(c *call) *answer {
	key, ok := basicKey(c.Request)
	switch {
	case ok && key == s.apiKey:
		return nil
	case ok && !isWellFormedKey(key):
		return malformedKey(c.behavior)
	default:
		return unauthorized()
	}
}

// basicKey returns what follows "Basic " in the Authorization header.
func basicKey(r *http.Request) (key string, ok bool) {
	scheme, key, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return key, ok && strings.EqualFold(scheme, "Basic")
}

// isWellFormedKey reports whether a key has the form of the keys that the service issues.
func isWellFormedKey(key string) bool {
	decoded, err := base64.StdEncoding.DecodeString(key)
	return err == nil && len(decoded) == len(keyPrefix)+keyLength && strings.HasPrefix(string(decoded), keyPrefix)
}

func unauthorized() *answer {
	return errorAnswer(http.StatusUnauthorized, "The API key is missing or wrong.")
}

// malformedKey returns the answer to a key of another form, with the words of the service
// (https://developer.staxbill.com/reference/errors).
func malformedKey(b *Behavior) *answer {
	status := http.StatusBadRequest
	if b.MalformedKeyIs401 {
		status = http.StatusUnauthorized
	}
	return errorAnswer(status, "Authorization key is not in the correct format.")
}
