// Package acceptance tests the provider as a whole: every fault in every operation, chaos, the
// guides, the examples, the documentation, what released versions have left behind, and that the
// API key is nowhere but in its header. Tests of one object are in internal/provider, beside what
// they test.
package acceptance
