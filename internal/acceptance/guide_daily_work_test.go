package acceptance

import (
	"encoding/base64"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// nightlyCase is a reason why the nightly check fails, with its repair on the page. After the
// repair, the check passes.
type nightlyCase struct {
	happens func(a acctest.Account, g guide)
	code    int
	prints  string // The page shows it, too.
	repair  func(a acctest.Account, g guide)
}

var nightlyCases = map[string]nightlyCase{
	"other contact": {
		func(a acctest.Account, _ guide) { a.SetLatch(2554529, 999, 202) },
		2, `"999" -> "101"`, appliesAgain,
	},
	"contact removed": {
		func(a acctest.Account, _ guide) { a.SetLatch(2554529, 0, 202) },
		2, `+ "2554529" = "101"`, appliesAgain,
	},
	"unlatched": {
		func(a acctest.Account, _ guide) { a.SetLatch(2554529, 0, 0) },
		2, `+ "2554529" = "101"`, appliesAgain,
	},
	"customer gone": {
		func(a acctest.Account, _ guide) { a.DeleteCustomer(2554529) },
		2, "Customer not found in Fusebill",
		func(_ acctest.Account, g guide) { g.edit("latches.csv", "2554529,101,202\n", "") },
	},
	"contact taken": {
		func(a acctest.Account, _ guide) { a.SetLatch(2554531, 101, 0) },
		2, "HubSpot contact is latched to another customer",
		func(a acctest.Account, g guide) {
			g.edit("latches.csv", "2554529,101,202\n", "2554529,,202\n2554531,101,\n")
			appliesAgain(a, g)
		},
	},
	"contact merged": {
		func(a acctest.Account, _ guide) {
			a.Configure(func(b *fusebillsim.Behavior) { b.Merged = fusebillsim.MergedAnswersNewID })
			a.MergeContacts(900, 101, 104)
		},
		2, `"900" -> "101"`,
		func(_ acctest.Account, g guide) { g.edit("latches.csv", "2554529,101,", "2554529,900,") },
	},
	"wrong key": {
		func(_ acctest.Account, g guide) {
			key := base64.StdEncoding.EncodeToString([]byte("0:" + strings.Repeat("b", 64)))
			g.Setenv(acctest.EnvAPIKey, key)
		},
		1, "Fusebill refused the API key",
		func(_ acctest.Account, g guide) { g.Setenv(acctest.EnvAPIKey, acctest.APIKey) },
	},
	"other account": {
		func(_ acctest.Account, g guide) {
			g.Setenv(acctest.EnvBaseURL, acctest.AccountWith(g.T, acctest.Customer{ID: 7}).URL)
		},
		1, "State belongs to another Fusebill account",
		func(a acctest.Account, g guide) { g.Setenv(acctest.EnvBaseURL, a.URL) },
	},
}

// appliesAgain runs the pipeline that applies the file again.
func appliesAgain(_ acctest.Account, g guide) {
	g.T.Helper()
	g.script(0, "../team/review.sh")
	g.script(0, "../pipelines/apply.sh")
}

func runDailyWork(t *testing.T, folder string) {
	t.Run("pull request", func(t *testing.T) {
		t.Parallel()
		a := teamAccount(t)
		g := newTeam(t, a)
		g.takesOver(a)
		g.folder = folder
		before := g.read("latches.csv")
		g.changesLines("pull-request.diff")
		review := g.script(0, "../team/review.sh")
		plan := withoutProgress(g.read("plan.txt"))
		g.shows("pull-request.txt", plan)
		acctest.Prints(t, review, plan, "Customers that the plan unlatches: 1. The policy allows 25.")
		g.script(0, "../pipelines/apply.sh")
		a.WroteSet(t, acctest.Customer{ID: 2500014}, acctest.Customer{ID: 2500027, Contact: 9128, Company: 500027},
			acctest.Customer{ID: 2502960, Contact: 9101})

		holder := g.inside(t.TempDir())
		holder.Write("main.tf", readExample(t, folder+"/holder.tf"))
		holder.Run(0, "init")
		g.shows("holder.txt", withoutProgress(holder.Run(0, "plan", "-no-color", "-var", "contact=9101")))
		g.shows("nobody.txt", withoutProgress(holder.Run(1, "plan", "-no-color", "-var", "contact=128")))

		g.Write("latches.csv", before) // As git revert does.
		g.script(0, "../team/review.sh")
		g.shows("revert.txt", withoutProgress(g.read("plan.txt")))
		g.script(0, "../pipelines/apply.sh")
		a.Holds(t, acctest.Customer{ID: 2500014, Contact: 115, Company: 500014},
			acctest.Customer{ID: 2500027, Contact: 128, Company: 500027}, acctest.Customer{ID: 2502960})
	})
	page, err := os.ReadFile("../../docs/guides/daily-work.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range nightlyCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := acctest.AccountWith(t,
				acctest.Customer{ID: 2554529}, acctest.Customer{ID: 2554530}, acctest.Customer{ID: 2554531})
			g := newTeam(t, a)
			g.Setenv("TF_CLI_ARGS_plan", "-no-color")
			g.Write("latches.csv", "fusebill_id,hubspot_id,hubspot_company_id\n2554529,101,202\n2554530,102,\n")
			g.script(0, "review.sh")
			g.script(0, "../pipelines/apply.sh")
			a.ResetCalls()
			c.happens(a, g)
			acctest.Prints(t, g.script(c.code, "../pipelines/drift.sh"), c.prints)
			a.Wrote(t)
			if !strings.Contains(string(page), c.prints) {
				t.Errorf("daily-work.md does not show %s", c.prints)
			}
			c.repair(a, g)
			g.script(0, "../pipelines/drift.sh")
		})
	}
}

// changesLines changes latches.csv as a diff shows it. A line that is added takes the place of the
// line that is removed before it, or is added at the end.
func (g guide) changesLines(diff string) {
	g.T.Helper()
	var removed string
	for line := range strings.Lines(readExample(g.T, g.folder+"/"+diff)) {
		text, isAdded := strings.CutPrefix(line, "+")
		switch {
		case !isAdded && removed != "":
			g.edit("latches.csv", removed, "")
			removed = line[1:]
		case !isAdded:
			removed = line[1:]
		case removed != "":
			g.edit("latches.csv", removed, text)
			removed = ""
		default:
			g.Write("latches.csv", g.read("latches.csv")+text)
		}
	}
}

var progressLine = regexp.MustCompile(`: (?:Refreshing state|Reading|Read complete)`)

// withoutProgress is what the CLI prints without lines about what it reads.
func withoutProgress(output string) string {
	var kept strings.Builder
	for line := range strings.Lines(output) {
		if !progressLine.MatchString(line) {
			kept.WriteString(line)
		}
	}
	return strings.TrimSpace(kept.String()) + "\n"
}
