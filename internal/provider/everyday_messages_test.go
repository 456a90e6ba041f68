package provider

import (
	"strings"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// A proxy variable that cannot be parsed stops the run before a call, and its value is printed
// nowhere.
func TestAccProxyVariable_stopsTheRun(t *testing.T) {
	t.Parallel()
	a := acctest.AccountOfYear(t, 2020, acctest.Customer{ID: 1})
	c := acctest.NewWorkspace(t, a)
	c.UseAccount("https://fusebill.test/v1") // Loopback addresses need no proxy.
	c.Declare(acctest.Customer{ID: 1, Contact: 101}.Block())
	for _, value := range []string{"http://me:hush%zz@proxy.example.com:8080", "http://me:hush#x@proxy.example.com"} {
		c.Setenv("HTTPS_PROXY", value)
		output := c.Run(1, "apply", "-no-color", "-auto-approve")
		acctest.Prints(t, output, "Error: Invalid proxy variable", "HTTPS_PROXY")
		if strings.Contains(output, "hush") {
			t.Errorf("the value was printed:\n%s", output)
		}
		keeps(t, c, a, 0, 0)
	}
}

// A moved block from a single latch to a set is an error that shows the way. The way makes no
// write.
func TestAccMove_fromASingleLatchToASet(t *testing.T) {
	t.Parallel()
	want := acctest.Customer{ID: 1, Contact: 101}
	a := acctest.AccountOfYear(t, 2020, acctest.Customer{ID: 1})
	c := acctest.NewWorkspace(t, a)
	c.SkipWithoutMoves()
	c.SkipWithoutRemoved()
	c.Declare(want.Block())
	c.Apply()
	a.ResetCalls()
	set := acctest.LatchSet{want}.Block()
	c.Declare(set, acctest.Block("moved", "from = "+acctest.LatchAddress, "to = "+acctest.SetAddress))
	output := c.Run(1, "plan", "-no-color")
	acctest.Prints(t, output, "Error: HubSpot latches are not moved to a latch set by a moved block",
		"removed { from = fusebill_hubspot_latch.example")
	c.Declare(set, removed(acctest.LatchAddress))
	c.Apply()
	keeps(t, c, a, 1, 10)
	a.Holds(t, want)
}
