// Command demo shows the provider at work: it builds it, serves a simulated Fusebill account on
// loopback, and drives the Terraform or OpenTofu CLI of this machine through the life of three
// latches (steps.go). It checks the output of each step and the latches of the account afterwards,
// and ends with an error at the first difference. `make demo` runs it.
//
// It writes to one temporary folder only, which it removes at its end, also when it is interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

func main() {
	// plugin-testing, which acctest imports, adds flags of its own to the default ones.
	flags := flag.NewFlagSet("demo", flag.ExitOnError)
	picture := flags.String("picture", "", "draw the picture of the README into this `file`, too")
	_ = flags.Parse(os.Args[1:]) // It ends the process where it fails.
	// Without SIGPIPE, a closed output would end the process before it has removed its folder.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	err := run(ctx, os.Stdout, *picture)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run plays all steps, and draws those that are pictured into a file, unless its name is empty.
func run(ctx context.Context, out io.Writer, picture string) (err error) {
	fmt.Fprintln(out, "Building the provider.")
	stage, err := acctest.NewStage(ctx, acctest.Module)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stage.Close()) }()
	account, stop := acctest.ServeAccount(fusebillsim.Config{})
	defer stop()
	account.AddCustomers(customers...)
	folder, err := stage.Folder(nil)
	if err != nil {
		return err
	}

	fmt.Fprintf(out, "The account is simulated, and lives as long as this demo:\n\n  %s=%s\n  %s=%s\n\n%s",
		acctest.EnvBaseURL, account.URL, acctest.EnvAPIKey, acctest.APIKey, show(account))
	var pictured strings.Builder
	for i, s := range steps {
		if s.before != nil {
			s.before(account)
		}
		fmt.Fprintf(out, "\n==> %d. %s\n\n", i+1, s.title)
		if s.file != "" {
			fmt.Fprintf(out, "%s:\n\n%s\n", s.file, s.text)
			if err := os.WriteFile(filepath.Join(folder, s.file), []byte(s.text), 0o600); err != nil {
				return err
			}
		}
		fmt.Fprintf(out, "$ %s %s\n", stage.CLI.Name, s.command)
		account.ResetCalls()
		got, err := stage.Run(ctx, folder, []string{acctest.EnvBaseURL + "=" + account.URL}, shown(out),
			strings.Fields(s.command)...)
		if err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
		writes := account.Writes()
		fmt.Fprintf(out, "\nExit code %d. API calls: %d to read, %d to write. In the account:\n\n%s", got.Code,
			account.Count()-writes, writes, show(account))
		if err := s.check(got, account); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
		if s.isPictured {
			fmt.Fprintf(&pictured, "\n\x1b[36m==> %s\x1b[0m\n\n$ %s %s\n%s", s.title, stage.CLI.Name, s.command, got.Output)
		}
	}
	fmt.Fprintf(out, "\n==> All %d steps showed what they should.\n", len(steps))
	if picture == "" {
		return nil
	}
	return os.WriteFile(picture, []byte(draw(pictured.String())), 0o644)
}

// show lists the customers of an account with their latches.
func show(account acctest.Account) string {
	var list strings.Builder
	for _, c := range account.Customers() {
		fmt.Fprintf(&list, "  customer %d, %-15s  latched to %s\n", c.ID, c.CompanyName, latchOf(c).Latch())
	}
	return list.String()
}

func latchOf(c fusebillsim.Customer) acctest.Customer {
	return acctest.Customer{ID: c.ID, Contact: c.HubSpotID, Company: c.HubSpotCompanyID}
}

// shown returns a writer that takes the colors out for all but a terminal, and where NO_COLOR is
// set. Not every terminal of Windows knows them.
func shown(out io.Writer) io.Writer {
	file, isFile := out.(*os.File)
	if isFile && os.Getenv("NO_COLOR") == "" && runtime.GOOS != "windows" {
		if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return out
		}
	}
	return colorless{out}
}

type colorless struct{ io.Writer }

func (c colorless) Write(text []byte) (int, error) {
	_, err := c.Writer.Write(escape.ReplaceAll(text, nil))
	return len(text), err
}

// escape is what changes the color of a terminal.
var escape = regexp.MustCompile("\x1b\\[([0-9;]*)m")
