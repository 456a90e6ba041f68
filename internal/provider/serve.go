package provider

import (
	"cmp"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

// Address is the address of the provider in configurations.
const Address = "registry.terraform.io/fusebill/fusebill"

// Serve serves a provider, such as that of [NewServer], to the CLI that started this process. It
// returns when the CLI stops the provider.
func Serve(server func() tfprotov6.ProviderServer) error {
	if err := setLogLevels(); err != nil {
		return err
	}
	return tf6server.Serve(Address, server)
}

// ServeToDebugger serves a provider to CLIs that this process did not start. It prints the
// environment variable TF_REATTACH_PROVIDERS, which directs a CLI to this process.
func ServeToDebugger(server func() tfprotov6.ProviderServer) error {
	return tf6server.Serve(Address, server, tf6server.WithManagedDebug())
}

// logLevels are the names of the environment variables that set the log levels of this process.
var logLevels = []string{
	"TF_LOG_PROVIDER_FUSEBILL", "TF_LOG_PROVIDER_FUSEBILL_HTTP",
	"TF_LOG_SDK", "TF_LOG_SDK_FRAMEWORK", "TF_LOG_SDK_PROTO",
}

// setLogLevels sets the levels that are not set to the level that the CLI shows. By default the
// libraries write every record, and the CLI parses and drops them. Without setLogLevels, a plan of
// 1,000 latches spends two fifths of the provider's time on records that nobody sees.
func setLogLevels() error {
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

// shownLogLevel returns the level at which the CLI shows a provider's log. Like the CLI, it reads
// JSON and unknown values as TRACE.
func shownLogLevel() string {
	level := strings.ToUpper(cmp.Or(os.Getenv("TF_LOG_PROVIDER"), os.Getenv("TF_LOG"), "OFF"))
	if slices.Contains([]string{"OFF", "ERROR", "WARN", "INFO", "DEBUG"}, level) {
		return level
	}
	return "TRACE"
}
