// Package provider implements the objects that Terraform sees: the provider's configuration, the
// resources, the data sources, the list resource, the action and the functions. Each object is in
// files that begin with its kind and name, with their tests beside them. The package translates
// between Terraform's values and the packages latch and customers, and turns errors into
// diagnostics on the attribute at fault.
//
// This package does not decide how latches change (package latch) and makes no HTTP call (package
// fusebill).
package provider
