// Command plugin is the provider as the benchmark runs it: the production provider, served as in the released program,
// and beside it, chosen by the environment, two others of the same schema to compare it with:
//
//   - naive makes one call for each read, as providers usually do;
//   - instant answers each read at once with the state as it is: what Terraform and the protocol cost.
//
// They differ from the production provider in reads alone, and are wrapped around it at the protocol. So whatever it
// serves, they serve too, and it needs no hook for a benchmark.
//
// What doesn't live here: what is measured, and how. That is the benchmark's, in the folder above.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/fusebill/terraform-provider-fusebill/internal/provider"
)

// What the benchmark sets in the environment. Its names of the same variables are in plugin.go.
const (
	// envMode is the provider to serve: empty for the production provider, naive or instant.
	envMode = "FUSEBILL_BENCH_MODE"
	// envMemory is a folder. Each process leaves a file in it, named by its ID, with the bytes that it took at most.
	envMemory = "FUSEBILL_BENCH_MEMORY"
)

func main() {
	serve, err := newServer(os.Getenv(envMode))
	if err != nil {
		log.Fatal(err)
	}
	// It returns when the CLI has closed the connection; after that the CLI waits for two seconds for the process to end.
	err = provider.Serve(serve)
	if err := errors.Join(err, recordMemory(os.Getenv(envMemory))); err != nil {
		log.Fatal(err)
	}
}

// newServer returns the constructor of the server of a mode.
func newServer(mode string) (func() tfprotov6.ProviderServer, error) {
	production := provider.NewServer("bench")
	switch mode {
	case "":
		return production, nil
	case "instant":
		return func() tfprotov6.ProviderServer { return instant{production()} }, nil
	case "naive":
		server, err := newNaive(context.Background(), production())
		return func() tfprotov6.ProviderServer { return server }, err
	default:
		return nil, fmt.Errorf("%s is %q, which is no mode", envMode, mode)
	}
}

func recordMemory(folder string) error {
	bytes, err := peakMemory()
	if folder == "" || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, strconv.Itoa(os.Getpid())), []byte(strconv.FormatInt(bytes, 10)), 0o600)
}
