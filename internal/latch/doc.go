// Package latch decides what is done so that a customer's latch becomes what was declared: what to read before a write,
// what an answer means, when to refuse.
//
// What doesn't live here: HTTP, retries and pacing (package fusebill), and anything of Terraform (package provider).
package latch
