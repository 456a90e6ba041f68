package fusebill

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// A provider process lives as long as a run, with thousands of calls: what each leaves behind would
// add up.
func TestMain(m *testing.M) {
	if os.Getenv(envTestURL) != "" {
		os.Exit(m.Run()) // One call, whose connection is kept for the next.
	}
	goleak.VerifyTestMain(m)
}
