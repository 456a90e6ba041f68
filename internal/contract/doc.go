// Package contract holds the tests that the simulator and a real account of Fusebill must both
// pass. Run over an account, they also report what is not known of the service,
// beside what the simulator does. CONTRIBUTING.md explains how to name an account.
package contract
