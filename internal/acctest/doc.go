// Package acctest has the helpers of the tests of the whole provider, and of the programs that run
// a CLI: the demo and the benchmark.
//
// An [Account] is a simulated Fusebill account on loopback. A [Workspace] runs the CLI with the
// built provider, and a [Protocol] calls the provider in this process. [Run] runs steps of
// terraform-plugin-testing. [Main] runs the tests of a package; every test searches its output and
// its files for the API key. [Find] finds the CLI of this machine, [CLI.Install] installs the
// provider for it, and a [Stage] runs it for programs.
//
// The package does not import internal/provider, because tests in that package import this one.
// [Main] gets the provider as an argument.
package acctest
