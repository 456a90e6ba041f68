package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

func TestRunServesUntilTheContextEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	stdout, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"-key", "a2V5", "-customers", "3", "-latched", "2", "-limit-minute", "7"}, out, io.Discard)
		_ = out.Close() // of a pipe: there is no error
	}()

	lines := bufio.NewScanner(stdout)
	value := func(name string) string {
		t.Helper()
		lines.Scan()
		v, ok := strings.CutPrefix(lines.Text(), "export "+name+"=")
		if !ok {
			t.Fatalf("line %q, want %s exported", lines.Text(), name)
		}
		return v
	}
	key, baseURL := value("FUSEBILL_API_KEY"), value("FUSEBILL_BASE_URL")

	r, err := http.NewRequestWithContext(ctx, http.MethodGet, baseURL+"/customers", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Basic "+key)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(body), `"firstName"`); n != 3 {
		t.Errorf("%d customers, want 3", n)
	}
	if n := strings.Count(string(body), `"hubSpotId":null`); n != 1 {
		t.Errorf("%d customers not latched, want 1", n)
	}
	if limit := resp.Header.Get("X-Rate-Limit-Limit-Minute"); limit != "7" {
		t.Errorf("limit %s", limit)
	}

	cancel()
	if lines.Scan() {
		t.Errorf("more on standard output: %q", lines.Text())
	}
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
}

func TestRunEndsAfterItsDuration(t *testing.T) {
	t.Parallel()
	if err := run(t.Context(), []string{"-for", "1ms"}, io.Discard, io.Discard); err != nil {
		t.Error(err)
	}
}

// A call under way must not keep the command from ending.
func TestServeCutsOffCalls(t *testing.T) {
	t.Parallel()
	listener, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	handler := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	done := make(chan error, 1)
	go func() { done <- serve(ctx, listener, handler) }()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := http.DefaultClient.Do(r); err == nil {
		resp.Body.Close()
		t.Error("the call was answered")
	}
	if err := <-done; err != nil {
		t.Errorf("serve: %v", err)
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string][]string{
		"not a loopback address": {"-addr", "0.0.0.0:0"},
		`":0" is not a loopback`: {"-addr", ":0"},
		"192.0.2.1":              {"-addr", "192.0.2.1:0"},
		"missing port":           {"-addr", "127.0.0.1"},
		"-key":                   {"-key", "a b$(c)"},
		"-latched":               {"-customers", "1", "-latched", "2"},
		"-limit-minute":          {"-limit-minute", "0"},
		"unexpected argument":    {"serve"},
	}
	for want, args := range tests {
		var stdout strings.Builder
		err := run(t.Context(), args, &stdout, io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
		if stdout.Len() > 0 {
			t.Errorf("%v: printed %q", args, stdout.String())
		}
	}
}

// Latency is the one flag that no answer shows.
func TestLatencyFlag(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{"-latency", "20ms"}, os.Stderr)
	if err != nil || o.latency != 20*time.Millisecond {
		t.Errorf("%v, %v", o.latency, err)
	}
}
