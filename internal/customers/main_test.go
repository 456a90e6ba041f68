package customers

import (
	"testing"

	"go.uber.org/goleak"
)

// Goroutines that wait for a holder, a batch or a page have to end with those who asked for it,
// also where they were canceled.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
