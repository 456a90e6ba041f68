package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

// bench is what measurements are made with.
type bench struct {
	options

	stage    *acctest.Stage
	progress io.Writer
}

// The configurations hold the latches of the customers in customers.json, of which the contacts and
// companies follow.
var (
	customers = `locals {
  customers = jsondecode(file("${path.module}/customers.json"))
}
`
	setConfig = acctest.Required + customers + `
resource "fusebill_hubspot_latches" "all" {
  hubspot_ids         = { for id in local.customers : id => "2${id}" }
  hubspot_company_ids = { for id in local.customers : id => "3${id}" }
}
`
	// With for_each, Terraform would take far longer: it evaluates the whole map for each instance.
	singlesConfig = acctest.Required + customers + `
resource "fusebill_hubspot_latch" "each" {
  count              = length(local.customers)
  fusebill_id        = local.customers[count.index]
  hubspot_id         = "2${local.customers[count.index]}"
  hubspot_company_id = "3${local.customers[count.index]}"
}
`
	// The CLI has terraform_data built in, so its cost is that of Terraform itself.
	dataConfig = customers + `
resource "terraform_data" "all" {
  input = tomap({ for id in local.customers : id => { hubspot_id = "2${id}", hubspot_company_id = "3${id}" } })
}
`
)

// latches are n latches, in a folder with their configuration, in an account of n customers.
type latches struct {
	n       int
	account acctest.Account
	folder  string
}

// declare makes an account of n customers without latches, and declares a latch for each. The
// caller calls stop when the account is not needed any more.
func (b *bench) declare(ctx context.Context, config string, n int) (l latches, stop func(), err error) {
	l.n = n
	l.account, stop = acctest.ServeAccount(fusebillsim.Config{LimitMinute: 1 << 30, LimitDay: 1 << 30,
		DiscardRequests: true, Behavior: fusebillsim.Behavior{Latency: b.latency}})
	ids, err := json.Marshal(l.account.AddSampleCustomers(n))
	if err != nil {
		return l, stop, err
	}
	l.folder, err = b.stage.Folder(map[string]string{"main.tf": config, "customers.json": string(ids)})
	if err != nil {
		return l, stop, err
	}
	_, err = b.run(ctx, l, "", "init", "")
	return l, stop, err
}

// latchAll latches the customers as declared, as another user of the account would: "2${id}" is the
// same number, since IDs of sample customers have seven digits.
func (l latches) latchAll() {
	for _, c := range l.account.Customers() {
		l.account.SetLatch(c.ID, 20_000_000+c.ID, 30_000_000+c.ID)
	}
}

// measurement is the cost of a command.
type measurement struct {
	wall, cpu     time.Duration
	reads, writes int
	refused       int // with 429
	memory        int // MiB of the largest provider process; 0: not known
}

// run runs a command and checks that it succeeds and prints a text.
func (b *bench) run(ctx context.Context, l latches, mode, command, prints string) (m measurement, err error) {
	fmt.Fprintf(b.progress, "%d latches: %s %s\n", l.n, command, mode)
	l.account.ResetCalls()
	memory := filepath.Join(l.folder, fmt.Sprint(time.Now().UnixNano()))
	env := []string{"FUSEBILL_BENCH_MODE=" + mode, "FUSEBILL_BENCH_MEMORY=" + memory,
		acctest.EnvBaseURL + "=" + l.account.URL}
	got, err := b.stage.Run(ctx, l.folder, env, io.Discard, append(strings.Fields(command), "-no-color")...)
	if err != nil {
		return m, err
	}
	if got.Code != 0 || !strings.Contains(got.Output, prints) {
		return m, fmt.Errorf("%s of %d latches ended with %d, want 0 and %q:\n%s", command, l.n, got.Code, prints,
			got.Output[max(len(got.Output)-4000, 0):])
	}
	m.wall, m.cpu, m.writes, m.refused = got.Wall, got.CPU, l.account.Writes(), l.account.RateLimited()
	m.reads = l.account.Count() - m.writes
	sizes, _ := os.ReadFile(memory) // It is absent where memory is not known.
	for kib := range strings.FieldsSeq(string(sizes)) {
		n, err := strconv.Atoi(kib)
		if err != nil {
			return m, err
		}
		m.memory = max(m.memory, n>>10)
	}
	return m, nil
}
