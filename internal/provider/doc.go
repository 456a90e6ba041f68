// Package provider is what Terraform sees: the provider's configuration and its resource, each in a file of its own with
// its tests beside it. It translates between Terraform's values and package latch, and turns errors into diagnostics on
// the attribute at fault.
//
// What doesn't live here: decisions on latches (package latch) and HTTP (package fusebill).
package provider
