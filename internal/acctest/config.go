package acctest

import (
	"fmt"
	"strings"
)

// Source is how users name the provider: its address without the registry, which each CLI has its
// own of.
const Source = "fusebill/fusebill"

// Required names the provider as users do.
var Required = Block("terraform", fmt.Sprintf(`required_providers {
    fusebill = {
      source = %q
    }
  }`, Source))

// ProviderBlock is the block of the provider's configuration.
func ProviderBlock(settings ...string) string {
	return Block(`provider "fusebill"`, settings...)
}

// LatchBlock declares the latch "test" by its arguments.
func LatchBlock(arguments ...string) string {
	return Block(`resource "fusebill_hubspot_latch" "test"`, arguments...)
}

// ImportOfSet is an import block for the set "test".
func ImportOfSet(id string) string {
	return Block("import", "to = "+SetAddress, `id = "`+id+`"`)
}

// Block is a block of HCL.
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
