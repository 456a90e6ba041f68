// Package latch decides how a customer's latch becomes the declared one: which customers to read before a write, how to
// take an answer, and when to refuse.
//
// This package does not read customers (package customers), makes no HTTP request (package fusebill), and knows nothing
// of Terraform (package provider).
package latch
