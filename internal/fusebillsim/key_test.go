package fusebillsim

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
)

func TestKey(t *testing.T) {
	t.Parallel()
	wellFormed := base64.StdEncoding.EncodeToString([]byte("0:" + strings.Repeat("x", 64)))
	tests := map[string]struct {
		key    string // of the simulator; "" is the default
		header string
		want   int
	}{
		"right":              {"", "Basic " + DefaultAPIKey, 200},
		"scheme in any case": {"", "basic " + DefaultAPIKey, 200},
		"right, short":       {"key", "Basic key", 200},
		"missing":            {"", "", 401},
		"without the scheme": {"", DefaultAPIKey, 401},
		"other scheme":       {"", "Bearer " + DefaultAPIKey, 401},
		"wrong":              {"", "Basic " + wellFormed, 401},
		"wrong, for a short": {"key", "Basic " + wellFormed, 401},
		"empty":              {"", "Basic ", 400},
		"half":               {"", "Basic " + DefaultAPIKey[:44], 400},
		"not base64":         {"", "Basic " + DefaultAPIKey[:87] + "!", 400},
		"a token":            {"", "Basic pat-na1-11111111-2222-3333-4444-555555555555", 400},
		"encoded once more":  {"", "Basic " + base64.StdEncoding.EncodeToString([]byte(DefaultAPIKey)), 400},
		"without 0:":         {"", "Basic " + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 66))), 400},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := New(Config{APIKey: test.key})
			r := newRequest(t, http.MethodGet, "customers", "")
			r.Header.Set("Authorization", test.header)
			got := send(t, s, r)
			if got.status != test.want {
				t.Fatalf("status %d, want %d", got.status, test.want)
			}
			if test.want == 400 && got.errorText(t) != "Authorization key is not in the correct format." {
				t.Errorf("body %s", got.body)
			}
			if test.want == 401 {
				got.errorText(t)
			}
			if hasKey := s.Requests()[0].HasKey; hasKey != (test.want == 200) {
				t.Errorf("recorded HasKey %v", hasKey)
			}
			if used := s.limiter.minute.used; (used == 1) != (test.want == 200) {
				t.Errorf("%d calls count toward the limit", used)
			}
		})
	}
}

func TestMalformedKeyIs401(t *testing.T) {
	t.Parallel()
	s := newTest(t, Config{Behavior: Behavior{MalformedKeyIs401: true}})
	r := newRequest(t, http.MethodGet, "customers", "")
	r.Header.Set("Authorization", "Basic half")
	if got := send(t, s, r); got.status != 401 || !strings.Contains(got.errorText(t), "format") {
		t.Errorf("status %d: %s", got.status, got.body)
	}
}
