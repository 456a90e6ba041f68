package provider

import (
	"os"
	"testing"
)

func TestSetLogLevels(t *testing.T) {
	for _, c := range []struct{ log, logProvider, own, want string }{
		{"", "", "", "OFF"},
		{"DEBUG", "", "", "DEBUG"},
		{"", "info", "", "INFO"},
		{"TRACE", "warn", "", "WARN"},
		{"off", "", "", "OFF"},
		{"JSON", "", "", "TRACE"},
		{"yes", "", "", "TRACE"},
		{"", "", "DEBUG", "DEBUG"}, // A level that the user has set stays.
	} {
		t.Setenv("TF_LOG", c.log)
		t.Setenv("TF_LOG_PROVIDER", c.logProvider)
		for _, name := range logLevels {
			t.Setenv(name, c.own)
		}
		if err := setLogLevels(); err != nil {
			t.Fatal(err)
		}
		for _, name := range logLevels {
			if got := os.Getenv(name); got != c.want {
				t.Errorf("%+v: %s is %q", c, name, got)
			}
		}
	}
}
