package acctest

import (
	"fmt"
	"strings"
)

// Source is the address of the provider as users write it: without the registry, which differs
// between the CLIs.
const Source = "fusebill/fusebill"

// Required is the terraform block that requires the provider, as users write it.
var Required = Block("terraform", fmt.Sprintf(`required_providers {
    fusebill = {
      source = %q
    }
  }`, Source))

// ProviderBlock returns a provider block with these settings.
func ProviderBlock(settings ...string) string {
	return Block(`provider "fusebill"`, settings...)
}

// LatchBlock returns the block of the latch "test" with these arguments.
func LatchBlock(arguments ...string) string {
	return Block(`resource "fusebill_hubspot_latch" "test"`, arguments...)
}

// ImportOfSet returns an import block for the set "test".
func ImportOfSet(id string) string {
	return Block("import", "to = "+SetAddress, `id = "`+id+`"`)
}

// Block returns a block of HCL.
func Block(header string, lines ...string) string {
	return header + " {\n  " + strings.Join(lines, "\n  ") + "\n}\n"
}

// LatchesType is the type of a latch set.
const LatchesType = "fusebill_hubspot_latches"

// SetAddress is the address of the set in most configurations.
const SetAddress = "fusebill_hubspot_latches.test"

// Environment variables of the provider.
const (
	EnvAPIKey  = "FUSEBILL_API_KEY"
	EnvBaseURL = "FUSEBILL_BASE_URL"
)

// EnvWithoutPluginTLS names the variable that makes the CLI talk to the provider without TLS. It is
// set in each [Workspace]; the empty string restores what users have.
const EnvWithoutPluginTLS = "TF_DISABLE_PLUGIN_TLS"
