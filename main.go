// Terraform-provider-fusebill is the plugin of the provider. Terraform starts it and calls it.
package main

import (
	"flag"
	"log"

	"github.com/fusebill/terraform-provider-fusebill/internal/provider"
)

// version is set by the release build.
var version = "dev"

func main() {
	debug := flag.Bool("debug", false, "wait for a debugger; prints the TF_REATTACH_PROVIDERS to run Terraform with")
	flag.Parse()

	serve := provider.Serve
	if *debug {
		serve = provider.ServeToDebugger
	}
	if err := serve(provider.NewServer(version)); err != nil {
		log.Fatal(err)
	}
}
