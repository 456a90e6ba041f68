package fusebill

import (
	"errors"
	"strings"
	"testing"
)

// A proxy variable that cannot be parsed is an error that does not show its value.
func TestCheckProxyVariables(t *testing.T) {
	for name, test := range map[string]struct {
		variable, value, baseURL string
		isRefused                bool
	}{
		"none":                         {"HTTPS_PROXY", "", "https://example.com/v1", false},
		"address":                      {"HTTPS_PROXY", "http://proxy.example.com:8080", "https://example.com/v1", false},
		"host and port":                {"HTTPS_PROXY", "proxy.example.com:8080", "https://example.com/v1", false},
		"user and password":            {"https_proxy", "http://me:a%25b@proxy.example.com:8080", "https://example.com/v1", false},
		"SOCKS":                        {"HTTPS_PROXY", "socks5://proxy.example.com:1080", "https://example.com/v1", false},
		"percent sign in password":     {"HTTPS_PROXY", "http://me:secret%zz@proxy.example.com:8080", "https://example.com/v1", true},
		"hash in password":             {"HTTPS_PROXY", "http://me:secret#x@proxy.example.com:8080", "https://example.com/v1", true},
		"hash in lower case":           {"https_proxy", "me:secret#x@proxy.example.com:8080", "https://example.com/v1", true},
		"other scheme":                 {"HTTPS_PROXY", "ftp://secret.example.com", "https://example.com/v1", true},
		"variable of another scheme":   {"HTTP_PROXY", "http://me:secret#x@proxy.example.com", "https://example.com/v1", false},
		"loopback goes past the proxy": {"HTTP_PROXY", "http://me:secret#x@proxy.example.com", "http://127.0.0.1:8080/v1", false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, variable := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
				t.Setenv(variable, "")
			}
			t.Setenv(test.variable, test.value)
			err := CheckProxyVariables(test.baseURL)
			refused, isRefused := errors.AsType[*ProxyVariableError](err)
			if isRefused != test.isRefused || err != nil && !isRefused {
				t.Fatalf("got %v", err)
			}
			if isRefused && (refused.Name != test.variable || strings.Contains(err.Error(), "secret")) {
				t.Errorf("got %v", err)
			}
		})
	}
}
