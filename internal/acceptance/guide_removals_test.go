package acceptance

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// TestAccGuides_vanishedSet checks that the script of the guide about pipelines refuses a plan that
// destroys a whole set, because its part of for_each is missing.
func TestAccGuides_vanishedSet(t *testing.T) {
	t.Parallel()
	needs(t, "jq")
	a := acctest.AccountWith(t, acctest.NumberedSet(4, 100).Unlatched()...)
	c := acctest.NewWorkspace(t, a)
	c.Setenv("PATH", filepath.Dir(c.CLI.Path)+":/usr/bin:/bin")
	c.Write("removals.sh", readExample(t, "guides/pipelines/removals.sh"))
	check := func(code int) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "sh", "removals.sh")
		cmd.Dir, cmd.Env = c.Dir, c.Env
		output, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != code {
			t.Errorf("ended with %d, want %d:\n%s", got, code, output)
		}
	}
	c.Declare(`resource "fusebill_hubspot_latches" "part" {
  for_each    = { north = { "1" = 101, "2" = 102 }, south = { "3" = 103, "4" = 104 } }
  hubspot_ids = each.value
}
`)
	c.PlanIs(true)
	check(0)
	c.Run(0, "apply", "tfplan")
	c.Declare(`resource "fusebill_hubspot_latches" "part" {
  for_each    = { north = { "1" = 101, "2" = 102 } }
  hubspot_ids = each.value
}
`)
	c.PlanIs(true)
	check(1)
	c.Declare(`resource "fusebill_hubspot_latches" "part" {
  for_each    = { north = { "1" = 101, "2" = 102 } }
  hubspot_ids = each.value
  lifecycle {
    prevent_destroy = true
  }
}
`)
	acctest.Prints(t, c.Run(1, "plan", "-no-color"), "Instance cannot be destroyed")
	c.Declare(`resource "fusebill_hubspot_latches" "part" {
  for_each    = { north = { "1" = 101 }, south = { "3" = 103, "4" = 104 } }
  hubspot_ids = each.value
}
`)
	c.PlanIs(true)
	check(0)
	c.Write("tfplan", "not a plan")
	check(1)
}
