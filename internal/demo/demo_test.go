package main

import (
	"encoding/xml"
	"html"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// TestStep_check shows that a step that shows or does something else is noticed. The demo itself is
// a test of the provider, which CI runs.
func TestStep_check(t *testing.T) {
	t.Parallel()
	account := acctest.Account{Simulator: fusebillsim.New(fusebillsim.Config{})}
	account.AddCustomers(fusebillsim.Customer{ID: 11, HubSpotID: 101})
	good := acctest.Result{Code: 2,
		Output: "\x1b[33m  ~\x1b[0m hubspot_id     = \"999\" -> \"101\"\n│ 1 to\n│ change\n"}
	s := step{code: 2, shows: []string{`~ hubspot_id = "999" -> "101"`, "1 to change"},
		latches: []acctest.Customer{{ID: 11, Contact: 101}}}
	if err := s.check(good, account); err != nil {
		t.Errorf("got %v, want no error", err)
	}
	for want, change := range map[string]func(s *step){
		"exit code is 2":         func(s *step) { s.code = 0 },
		"output lacks":           func(s *step) { s.shows = []string{"2 to change"} },
		"calls wrote":            func(s *step) { s.writes = 1 },
		"latches of the account": func(s *step) { s.latches = []acctest.Customer{{ID: 11}} },
	} {
		other := s
		change(&other)
		if err := other.check(good, account); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

func TestDraw(t *testing.T) {
	t.Parallel()
	svg := draw("a: Refreshing state... [id=1]\n\x1b[1mbold \x1b[31m<red\n\x1b[0mplain &")
	if err := xml.Unmarshal([]byte(svg), new(struct{})); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"<tspan>bold </tspan>", `<tspan fill="#d74e6f">&lt;red</tspan>`,
		"<tspan>plain &amp;</tspan>"} {
		if !strings.Contains(svg, want) || strings.Contains(svg, "Refreshing") {
			t.Errorf("no %s in\n%s", want, svg)
		}
	}
}

// TestPicture checks that the picture of the README shows what the demo shows.
func TestPicture(t *testing.T) {
	t.Parallel()
	svg, err := os.ReadFile("../../docs/images/demo.svg")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.ReplaceAll(string(svg), "</text>", "\n")
	text := plain(html.UnescapeString(regexp.MustCompile("<[^>]*>").ReplaceAllString(lines, "")))
	for _, s := range steps {
		for _, want := range append([]string{s.title, s.command}, s.shows...) {
			if s.isPictured && !strings.Contains(text, want) {
				t.Errorf("the picture lacks %q: run\nmake demo PICTURE=templates/images/demo.svg generate", want)
			}
		}
	}
}
