package fusebill

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
)

// ProxyVariableError reports an environment variable for a proxy that is not valid. It does not
// have the value, which may contain a password.
type ProxyVariableError struct {
	Name string
}

// Error implements [error].
func (e *ProxyVariableError) Error() string {
	return fmt.Sprintf("the environment variable %s is not the address of a proxy, such as http://proxy.example.com:8080", e.Name)
}

// CheckProxyVariables returns a [*ProxyVariableError] where the environment variable that names the
// proxy for a base URL cannot be parsed. With such a variable, the standard library calls the
// service without the proxy, or looks for a host such as "http" (see
// [net/http.ProxyFromEnvironment]).
func CheckProxyVariables(baseURL string) error {
	parsed, err := url.Parse(baseURL)
	if err != nil || isLoopback(parsed.Hostname()) { // The library uses no proxy for loopback.
		return nil //nolint:nilerr // NewClient explains an invalid base URL.
	}
	scheme := strings.ToLower(parsed.Scheme)
	for _, name := range []string{strings.ToUpper(scheme) + "_PROXY", scheme + "_proxy"} {
		value := os.Getenv(name)
		if value == "" {
			continue
		}
		if !isProxy(value) {
			return &ProxyVariableError{Name: name}
		}
		break // The library uses the first one that is set.
	}
	return nil
}

// isProxy reports whether a value is the address of a proxy in a form that the standard library
// accepts.
func isProxy(value string) bool {
	if !strings.Contains(value, "://") {
		value = "http://" + value
	}
	proxy, err := url.Parse(value)
	return err == nil && proxy.Hostname() != "" && proxy.Fragment == "" && !strings.Contains(value, "#") &&
		slices.Contains([]string{"http", "https", "socks5", "socks5h"}, proxy.Scheme)
}
