package main

import (
	"html"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// The demo itself is a test of the provider, which CI runs. These show that it would notice.

func TestStep_checkResult(t *testing.T) {
	t.Parallel()
	s := step{exit: 2, shows: []string{`~ hubspot_id = "999" -> "101"`, "1 to change"}}
	drift := "\x1b[33m  ~\x1b[0m hubspot_id         = \"999\" -> \"101\"\n\nPlan: 1 to\nchange\n"
	if err := s.checkResult(result{exit: 2, output: drift}); err != nil {
		t.Errorf("it shows what it should, and yet: %v", err)
	}
	for name, got := range map[string]result{
		"exit code is 0":       {exit: 0, output: drift},
		"say \"1 to change\"":  {exit: 2, output: `~ hubspot_id = "999" -> "101"`},
		"say \"~ hubspot_id =": {exit: 2, output: "No changes."},
	} {
		if err := s.checkResult(got); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%+v: got error %v, want one with %q", got, err, name)
		}
	}
}

func TestStep_checkAccount(t *testing.T) {
	t.Parallel()
	account := fusebillsim.New(fusebillsim.Config{APIKey: apiKey})
	account.AddCustomers(fusebillsim.Customer{ID: 11, HubSpotID: 101}, fusebillsim.Customer{ID: 12})
	if err := (step{truth: latches{11: {HubSpotID: 101}}}).checkAccount(account); err != nil {
		t.Errorf("the account is as it should be, and yet: %v", err)
	}
	for name, s := range map[string]step{
		"should be latched to nothing":     {},
		"should be latched to company 202": {truth: latches{11: {HubSpotID: 101}, 12: fusebill.Latch{HubSpotCompanyID: 202}}},
		"0 calls wrote":                    {truth: latches{11: {HubSpotID: 101}}, writes: 1},
	} {
		if err := s.checkAccount(account); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%+v: got error %v, want one with %q", s, err, name)
		}
	}
}

// The README's picture is drawn by make demo-picture, and shows what the demo shows.
func TestPicture(t *testing.T) {
	t.Parallel()
	svg, err := os.ReadFile("../../docs/images/demo.svg")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.ReplaceAll(string(svg), "</text>", "\n")
	shown := plain(html.UnescapeString(regexp.MustCompile("<[^>]*>").ReplaceAllString(lines, "")))
	pictured := 0
	for _, s := range steps() {
		if !s.pictured {
			continue
		}
		pictured++
		for _, want := range append([]string{s.title, s.command}, s.shows...) {
			if !strings.Contains(shown, want) {
				t.Errorf("the picture should show %q: run make demo-picture", want)
			}
		}
	}
	if pictured == 0 {
		t.Error("no step is pictured")
	}
	if strings.Contains(string(svg), "@font-face") {
		t.Error("there is a font in the picture")
	}
}

func TestOfPicture(t *testing.T) {
	t.Parallel()
	output := "\x1b[0m\x1b[1mfusebill_hubspot_latch.bikes: Refreshing state...\x1b[0m\na: Refreshing state... [id=1]\n\n  \x1b[90m# hidden\x1b[0m\n\n"
	if got, want := ofPicture(output), "\n  \x1b[38;5;245m# hidden\x1b[0m"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
