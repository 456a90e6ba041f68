package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// checkResult compares what a step showed with what it should.
func (s step) checkResult(got result) error {
	var errs []error
	if got.exit != s.exit {
		errs = append(errs, fmt.Errorf("the exit code is %d, and should be %d", got.exit, s.exit))
	}
	shown := plain(got.output)
	for _, want := range s.shows {
		if !strings.Contains(shown, want) {
			errs = append(errs, fmt.Errorf("the output should say %q", want))
		}
	}
	return errors.Join(errs...)
}

// checkAccount compares what a step did with what it should.
func (s step) checkAccount(account *fusebillsim.Simulator) error {
	var errs []error
	if got := account.Writes(); got != s.writes {
		errs = append(errs, fmt.Errorf("%d calls wrote to the account, and it should be %d", got, s.writes))
	}
	for _, customer := range account.Customers() {
		if got, want := latchOf(customer), s.truth[customer.ID]; got != want {
			errs = append(errs, fmt.Errorf("customer %d is latched to %s, and should be latched to %s", customer.ID, got, want))
		}
	}
	return errors.Join(errs...)
}

func latchOf(customer fusebillsim.Customer) fusebill.Latch {
	return fusebill.Latch{HubSpotID: customer.HubSpotID, HubSpotCompanyID: customer.HubSpotCompanyID}
}

// decoration is colours, and the bar beside an error.
var decoration = regexp.MustCompile("\x1b\\[[0-9;]*m|│")

// plain is a text without decoration, line breaks and columns, which depend on the CLI's version and the terminal.
func plain(text string) string {
	return strings.Join(strings.Fields(decoration.ReplaceAllString(text, "")), " ")
}
