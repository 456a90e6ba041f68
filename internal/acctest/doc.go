// Package acctest is what tests of the whole provider share, and the programs beside them that
// drive a CLI: the demo and the benchmark.
//
// An [Account] is a simulated Fusebill account on loopback. Two helpers drive the provider against
// it: a [Workspace] runs the CLI with the provider that was built, and a [Protocol] calls the
// provider in this process. [Run] runs steps of terraform-plugin-testing. [Main] runs the tests of
// a package; every test searches what it has printed and written for the API key. [Find] finds the
// CLI of this machine, [CLI.Install] installs the provider for it, and a [Stage] is what programs
// drive it with.
//
// The package does not import internal/provider, since tests in that package import this one;
// [Main] gets the provider.
package acctest
