// Package contract holds the tests that the simulator and a real account of Fusebill have to pass alike. They tell whoever has
// an account, in one command, where the simulator is wrong: make contract. CONTRIBUTING.md says how.
package contract
