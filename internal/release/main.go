// Command release checks what goreleaser has built, as the registries of Terraform and OpenTofu would, and installs it:
// `make release-snapshot` runs it.
//
//	go run ./internal/release build/dist
//
// It looks at names and contents (packages.go), then goes the way of the guide on installing without a registry, by the
// guide's own scripts: the CLI of this machine takes the provider from a folder that has its zip, and plans with it against
// a simulated account on loopback (install.go). It ends non-zero at the first thing that a registry or a user would stumble
// over.
//
// What doesn't live here: the building, which .goreleaser.yml describes, and signatures, which need a key.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("want one argument, the folder that goreleaser has written")
	}
	r, err := openRelease(args[0])
	if err != nil {
		return err
	}
	if err := r.check(); err != nil {
		return err
	}
	fmt.Printf("Version %s: %d packages are as the registries want them.\n", r.version, len(r.packages))
	return r.install(ctx)
}
