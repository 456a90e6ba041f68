// Command schemajson prints the provider's schema in the JSON form of `terraform providers schema -json`.
//
// The documentation is generated from that form. Terraform itself could print it, but a CLI before 1.14 leaves out list
// resources and actions, one before 1.12 resource identity, one before 1.8 functions, and the pages would silently lose
// them. Here the provider is asked through its protocol, in this process, so the pages depend on the provider alone.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/fusebill/terraform-provider-fusebill/internal/provider"
)

// providerKey is the name under which the provider stands in the output. Terraform would write the whole source address,
// but the documentation generator looks for the short name or an address in the namespace hashicorp, and for no other.
const providerKey = "fusebill"

func main() {
	server := provider.NewServer("dev")()

	schema, err := schemaJSON(context.Background(), server)
	if err != nil {
		fmt.Fprintln(os.Stderr, "schemajson:", err)
		os.Exit(1)
	}

	fmt.Printf("%s\n", schema)
}
