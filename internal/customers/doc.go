// Package customers reads customers for every resource of one provider process, with as few calls as it can.
//
// This package does not write latches (package latch), and makes no HTTP request (package fusebill).
package customers
