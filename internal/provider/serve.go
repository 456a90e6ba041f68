package provider

import (
	"cmp"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

// Address is where configurations find the provider.
const Address = "registry.terraform.io/fusebill/fusebill"

// Serve serves a provider, such as [NewServer]'s, to the CLI that has started this process, and returns when the CLI is
// done with it.
func Serve(server func() tfprotov6.ProviderServer) error {
	if err := logNoMoreThanIsShown(); err != nil {
		return err
	}
	return tf6server.Serve(Address, server)
}

// ServeToDebugger serves a provider to any CLI that is told where it runs: how, it prints.
func ServeToDebugger(server func() tfprotov6.ProviderServer) error {
	return tf6server.Serve(Address, server, tf6server.WithManagedDebug())
}

// logLevels are the variables that set levels in this process.
var logLevels = []string{"TF_LOG_PROVIDER_FUSEBILL", "TF_LOG_PROVIDER_FUSEBILL_HTTP", "TF_LOG_SDK", "TF_LOG_SDK_FRAMEWORK", "TF_LOG_SDK_PROTO"}

// logNoMoreThanIsShown sets the levels that aren't set to the one that the CLI shows. Left alone, the libraries write
// everything, and the CLI parses it all to drop it: in a plan of 1,000 latches with nobody looking at logs, that was two
// fifths of the provider's work.
func logNoMoreThanIsShown() error {
	for _, name := range logLevels {
		if os.Getenv(name) != "" {
			continue
		}
		if err := os.Setenv(name, shownLogLevel()); err != nil {
			return err
		}
	}
	return nil
}

// shownLogLevel is what the CLI shows of a provider's log. It takes a word that it doesn't know, and JSON, for TRACE.
func shownLogLevel() string {
	level := strings.ToUpper(cmp.Or(os.Getenv("TF_LOG_PROVIDER"), os.Getenv("TF_LOG"), "OFF"))
	if slices.Contains([]string{"OFF", "ERROR", "WARN", "INFO", "DEBUG"}, level) {
		return level
	}
	return "TRACE"
}
