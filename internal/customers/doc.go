// Package customers reads customers for every resource of one provider process, with as few calls
// as it can.
//
// This package does not write latches (package latch does) and makes no HTTP request of its own
// (package fusebill does).
package customers
