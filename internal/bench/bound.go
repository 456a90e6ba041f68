package main

import "github.com/fusebill/terraform-provider-fusebill/internal/latch"

// The design's bounds. See "Reading at scale" there.
const (
	// timeBound is how many times the plan may take that needs no network.
	timeBound = 1.25
	// memoryBound is what the provider's process may take.
	memoryBound = 100 << 20
	// memoryBoundLatches is the most latches that memoryBound is for.
	memoryBoundLatches = 10_000
	// rateBound is the share of the allowed calls that an apply uses at least.
	rateBound = 0.95
	// pageSize is how many customers one call brings, of the whole account.
	pageSize = 1000
	// setSize is how many customers one call brings, of those that it asks for.
	setSize = 100
	// dataSetTimeBound is how many times a plan of one terraform_data that holds the same map a set's plan may take.
	dataSetTimeBound = 1.0
	// dataTimeBound is how many times a plan of as many terraform_data a set's plan may take.
	dataTimeBound = 0.1
	// handful is how many calls may be refused in each window where somebody else takes from the same quota: some of those
	// that were under way when the other's calls used it up.
	handful = 5
)

// readsBound is how many calls may be made to read latches once each: about twice the better of calls for as many as are
// read side by side, and reading the whole account by pages. It is never more than one call for each latch.
func readsBound(latches, customers, parallelism int) int {
	return min(2*min(ceilDiv(latches, parallelism), ceilDiv(customers, pageSize))+3, latches)
}

// setReadsBound is how many calls may be made to read the latches of a set, whose number is known beforehand.
func setReadsBound(latches, customers int) int {
	return 2*min(ceilDiv(latches, setSize), ceilDiv(customers, pageSize)) + 3
}

// accountBound is how many calls find out who holds what: all pages, once, unless there are too many.
func accountBound(customers int) int {
	if pages := ceilDiv(customers, pageSize); pages <= latch.DefaultMaxPages {
		return pages
	}
	return 0
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
