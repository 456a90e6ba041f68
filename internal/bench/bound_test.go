package main

import "testing"

// TestReadsBound holds the formula against numbers that were worked out by hand from the design's table.
func TestReadsBound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ latches, customers, parallelism, want int }{
		{1, 1, 10, 1}, // never more than one for each latch
		{10, 10, 10, 5},
		{10, 100_000, 10, 5},       // few latches of a large account: it isn't read whole
		{100, 1000, 10, 5},         // one page
		{1000, 10_000, 10, 23},     // ten pages
		{1000, 1_000_000, 10, 203}, // a hundred sets of ten
		{10_000, 10_000, 10, 23},   // the design's example
		{10_000, 100_000, 10, 203},
		{1000, 1000, 1, 5},
		{1000, 10_000, 50, 23},
		{4, 100_000, 1, 4},
	} {
		if got := readsBound(c.latches, c.customers, c.parallelism); got != c.want {
			t.Errorf("%d latches of %d customers, %d at once: got %d, want %d", c.latches, c.customers, c.parallelism, got, c.want)
		}
	}
}

func TestAccountBound(t *testing.T) {
	t.Parallel()
	for customers, want := range map[int]int{1: 1, 1000: 1, 1001: 2, 20_000: 20, 20_001: 0} {
		if got := accountBound(customers); got != want {
			t.Errorf("%d customers: got %d, want %d", customers, got, want)
		}
	}
}
