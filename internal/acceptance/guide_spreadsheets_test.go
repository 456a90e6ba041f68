package acceptance

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// spreadsheetLatches are the latches of the file in the guide about spreadsheets.
var spreadsheetLatches = []acctest.Customer{
	{ID: 2554529, Contact: 101, Company: 202}, {ID: 2554530, Company: 9007199254740993}, {ID: 2554531, Contact: 303},
}

// yamlLatches are the latches of the file in the guide about YAML.
var yamlLatches = []acctest.Customer{
	{ID: 2554529, Contact: 101, Company: 202},
	{ID: 2554530, Company: 9007199254740993},
	{ID: 9007199254740995, Contact: 303},
}

// runCSV runs each configuration of the guide with the file of the guide, with the same file as
// Excel may write it, and with files that would latch the wrong contacts.
func runCSV(t *testing.T, folder string) {
	t.Run("page", readsCSV)
	file := readExample(t, folder+"/latches.csv")
	const header = "fusebill_id,hubspot_id,hubspot_company_id\n"
	bad := map[string]string{
		"semicolons":            strings.ReplaceAll(file, ",", ";"),
		"a header only":         header,
		"a rounded number":      header + "2554529,1.01E+2,\n",
		"a customer twice":      header + "2554529,101,\n2554529,,202\n",
		"a contact twice":       header + "2554529,101,\n2554530,101,\n",
		"a line without any ID": header + "2554529,101,\n2554530,,\n",
		"a missing column":      "fusebill_id,hubspot_id\n2554529,101\n",
		"a URL of the other":    header + "2554529,https://app.hubspot.com/contacts/6246015/company/202,\n",
	}
	for config, accepted := range map[string][]string{
		"set.tf":               {"semicolons", "a missing column"},
		"singles.tf":           {"semicolons", "a missing column"},
		"set-csvdecode.tf":     nil,
		"singles-csvdecode.tf": nil,
	} {
		t.Run(config, func(t *testing.T) {
			t.Parallel()
			a := acctest.AccountWith(t, acctest.LatchSet(spreadsheetLatches).Unlatched()...)
			g := newGuide(t, a, folder)
			if accepted != nil {
				g.SkipBelow(1, 8, "functions of providers")
			}
			g.use(config)
			for name, text := range bad {
				if slices.Contains(accepted, name) {
					continue
				}
				g.Write("latches.csv", text)
				if printed := g.Run(1, "plan", "-no-color"); strings.Count(printed, "Error: ") > 2 {
					t.Errorf("%s: there are more than two errors:\n%s", name, printed)
				}
			}
			a.Wrote(t)
			g.add("latches.csv")
			g.Apply()
			a.Holds(t, spreadsheetLatches...)
			asExcel := "\ufeff" + strings.ReplaceAll(file, "\n", "\r\n") + ",,,\r\n"
			asExcel = strings.ReplaceAll(asExcel, "303", " 303 ")
			if accepted != nil {
				asExcel = strings.ReplaceAll(asExcel, ",", ";")
			}
			g.Write("latches.csv", asExcel)
			g.PlanIs(false)
		})
	}
}

func runYAML(t *testing.T, folder string) {
	t.Run("page", readsYAML)
	const entry = "- {fusebill_id: \"2554529\", hubspot_id: %s, hubspot_company_id: %s}\n"
	for _, config := range []string{"set.tf", "singles.tf"} {
		t.Run(config, func(t *testing.T) {
			t.Parallel()
			a := acctest.AccountWith(t, acctest.LatchSet(yamlLatches).Unlatched()...)
			g := newGuide(t, a, folder)
			g.use(config)
			for _, text := range []string{
				"- {fusebill_id: \"2554529\", hubspot_id: \"101\"}\n",
				fmt.Sprintf(entry, `"101"`, "") + fmt.Sprintf(entry, "", `"202"`),
				fmt.Sprintf(entry, `"1.01E+2"`, ""),
				fmt.Sprintf(entry, "", ""),
			} {
				g.Write("latches.yaml", text)
				g.Run(1, "plan", "-no-color")
			}
			a.Wrote(t)
			g.add("latches.yaml")
			g.Apply()
			g.PlanIs(false)
			a.Holds(t, yamlLatches...)
		})
	}
}

func runHubSpotExport(t *testing.T, folder string) {
	t.Run("page", readsHubSpotExport)
	t.Run("5,000 customers", func(t *testing.T) { runLargeExport(t, folder) })
}

// exportGuide is the guide that matches customers with exports of HubSpot.
type exportGuide struct{ guide }

func newExportGuide(t *testing.T, folder string, customers ...fusebillsim.Customer) (exportGuide, acctest.Account) {
	t.Helper()
	a := acctest.NewAccount(t, customers...)
	g := newGuide(t, a, folder)
	g.SkipBelow(1, 8, "functions of providers")
	g.Install()
	g.Setenv("TF_CLI_ARGS_apply", "-auto-approve")
	g.Setenv("TF_CLI_ARGS", "-no-color")
	return exportGuide{g}, a
}

// match makes latches.csv and returns what the script prints.
func (g exportGuide) match() string {
	g.T.Helper()
	g.use("match.tf")
	return g.script(0, "match.sh")
}

// declare deletes what the match has stored, and applies the configuration of the latches.
func (g exportGuide) declare() {
	g.T.Helper()
	if !strings.Contains(g.read("terraform.tfstate"), ".example") {
		g.T.Error("the state of the match has no email address, and the guide says that it has them")
	}
	g.script(0, "clean.sh")
	g.use()
	g.Write("set.tf", readExample(g.T, "guides/csv/set.tf"))
	g.Apply()
	if state := g.read("terraform.tfstate"); strings.Contains(state, "@") {
		g.T.Errorf("the state of the latches has an email address:\n%s", state)
	}
}

// runLargeExport matches 5,000 customers with 6,000 contacts, latches those with a match, and then
// breaks the file in ways that only the limits of the set can stop.
func runLargeExport(t *testing.T, folder string) {
	t.Parallel()
	made := newLargeExport()
	g, a := newExportGuide(t, folder, made.customers...)
	g.Write("contacts.csv", made.contacts)
	g.Write("companies.csv", "Record ID,Company name,Customer number\n900,No company,\n901,COMPANY 1,\n")
	g.match()
	if calls := a.Count(); calls != 5 {
		t.Errorf("the match made %d calls, want 5", calls)
	}
	file := g.read("latches.csv")
	if lines := strings.Count(file, "\n"); lines != 1+len(made.latches) {
		t.Errorf("latches.csv has %d lines, want %d", lines, 1+len(made.latches))
	}
	var rest struct {
		Contacts struct {
			Unmatched            []string
			Ambiguous, Contested map[string][]string
		}
	}
	if err := json.Unmarshal([]byte(g.Run(0, "output", "-json", "rest")), &rest); err != nil {
		t.Fatal(err)
	}
	for kind, n := range map[string][2]int{
		"unmatched": {len(rest.Contacts.Unmatched), 400},
		"ambiguous": {len(rest.Contacts.Ambiguous), 300},
		"contested": {len(rest.Contacts.Contested), 100},
	} {
		if n[0] != n[1] {
			t.Errorf("%d are %s, want %d", n[0], kind, n[1])
		}
	}
	a.ResetCalls()
	g.declare()
	if got := a.Writes(); got != len(made.latches) {
		t.Errorf("the apply wrote %d times, want %d", got, len(made.latches))
	}
	t.Logf("the apply made %d calls", a.Count())
	g.PlanIs(false)
	a.Holds(t, made.latches...)

	a.ResetCalls()
	lines := strings.SplitAfter(file, "\n")
	g.Write("latches.csv", strings.Join(lines[:len(lines)/2], ""))
	acctest.Prints(t, g.Run(1, "plan"), "Too many HubSpot latches would be removed")
	g.Write("latches.csv", strings.Replace(file, "hubspot_id,hubspot_company_id", "hubspot_company_id,hubspot_id", 1))
	acctest.Prints(t, g.Run(1, "plan"), "Too many HubSpot latches would change")
	a.Wrote(t)
}

// largeExport is an account, an export of its contacts, and what a match must find.
type largeExport struct {
	customers []fusebillsim.Customer
	contacts  string
	latches   []acctest.Customer
}

func newLargeExport() largeExport {
	var e largeExport
	var contacts strings.Builder
	contactID := int64(10_000_000_000)
	contact := func(email, reference string) int64 {
		contactID++
		fmt.Fprintf(&contacts, "%d;Ada;Doe %d;\"%s\";%s\r\n", contactID, contactID, email, reference)
		return contactID
	}
	contacts.WriteString("\ufeffRecord ID;First Name;Last Name;Email;Customer number\r\n")
	for i := range int64(5000) {
		c := fusebillsim.Customer{
			ID: 2_500_001 + i, CompanyName: fmt.Sprintf("Company %d", i), Reference: fmt.Sprintf("C-%d", i),
			PrimaryEmail: fmt.Sprintf("ada%d@ada.example", i), Status: "Active",
		}
		latch := acctest.Customer{ID: c.ID}
		switch {
		case i < 2000: // by reference
			if i%2 == 0 {
				c.PrimaryEmail = ""
			}
			latch.Contact = contact("", c.Reference)
		case i < 4000: // by address in another letter case
			latch.Contact = contact(strings.ToUpper(c.PrimaryEmail), "")
		case i < 4100: // by one of several addresses
			latch.Contact = contact("info@ada.example;"+c.PrimaryEmail, "")
		case i < 4300: // unmatched without an address
			c.PrimaryEmail = ""
		case i < 4500: // unmatched
		case i < 4800: // ambiguous
			contact(c.PrimaryEmail, "")
			contact(strings.ToUpper(c.PrimaryEmail), "")
		default: // two customers contest a contact
			c.PrimaryEmail = fmt.Sprintf("ada%d@ada.example", i-i%2)
			if i%2 == 0 {
				contact(c.PrimaryEmail, "")
			}
		}
		if i == 1 {
			latch.Company = 901
		}
		e.customers = append(e.customers, c)
		if latch.Contact != 0 || latch.Company != 0 {
			e.latches = append(e.latches, latch)
		}
	}
	for contactID < 10_000_006_000 {
		contact(fmt.Sprintf("nobody%d@ada.example", contactID), "")
	}
	e.contacts = contacts.String()
	return e
}
