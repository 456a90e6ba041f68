// Command fusebillsim serves a simulated Fusebill API on the loopback interface,
// for a demo or for trying things by hand.
//
// It prints two lines for a shell to evaluate on standard output, which point
// the provider at it, and everything else on standard error:
//
//	export FUSEBILL_API_KEY=MDpzaW11…
//	export FUSEBILL_BASE_URL=http://127.0.0.1:40123/v1
//
// It ends on SIGINT, on SIGTERM, or after the duration given by -for.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebillsim"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "fusebillsim:", err)
		os.Exit(1)
	}
}

// options is what the command line asks for.
type options struct {
	addr        string
	key         string
	customers   int
	latched     int
	limitMinute int
	latency     time.Duration
	duration    time.Duration // 0: no end
}

// run serves until ctx or the duration asked for ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	sim := newSimulator(o)
	listener, err := listen(o.addr)
	if err != nil {
		return err
	}
	if o.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.duration)
		defer cancel()
	}
	fmt.Fprintf(stdout, "export FUSEBILL_API_KEY=%s\nexport FUSEBILL_BASE_URL=http://%s/v1\n", o.key, listener.Addr())
	fmt.Fprintf(stderr, "fusebillsim: %d customers, %d of them latched\n", o.customers, o.latched)
	err = serve(ctx, listener, sim)
	fmt.Fprintf(stderr, "fusebillsim: %d calls, %d of them writes\n", sim.Count(), sim.Writes())
	return err
}

// shellSafe is the keys that need no quoting in the lines that are printed.
var shellSafe = regexp.MustCompile(`^[A-Za-z0-9+/=_.-]+$`)

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("fusebillsim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:0", "loopback `address` to listen on; port 0 chooses a free one")
	flags.StringVar(&o.key, "key", fusebillsim.DefaultAPIKey, "API `key` that requests have to carry")
	flags.IntVar(&o.customers, "customers", 100, "`number` of customers to start with")
	flags.IntVar(&o.latched, "latched", 0, "`number` of these customers that are latched")
	flags.IntVar(&o.limitMinute, "limit-minute", 1000, "`calls` allowed per minute")
	flags.DurationVar(&o.latency, "latency", 0, "`time` that passes before each answer")
	flags.DurationVar(&o.duration, "for", 0, "`time` after which to end; 0 means never")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case !shellSafe.MatchString(o.key):
		return o, errors.New("-key has to be letters, digits and + / = _ . - only")
	case o.customers < 0 || o.latched < 0 || o.latched > o.customers:
		return o, errors.New("-latched has to be between 0 and -customers")
	case o.limitMinute < 1:
		return o, errors.New("-limit-minute has to be at least 1")
	}
	return o, nil
}

// listen opens addr if it is on the loopback interface. Everyone who reaches the simulator can
// change it, so it must not be open to other machines.
func listen(addr string) (net.Listener, error) {
	tcp, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("-addr: %w", err)
	}
	if !tcp.IP.IsLoopback() {
		return nil, fmt.Errorf("-addr: %q is not a loopback address", addr)
	}
	listener, err := net.ListenTCP("tcp", tcp)
	if err != nil {
		return nil, fmt.Errorf("-addr: %w", err)
	}
	return listener, nil
}

func newSimulator(o options) *fusebillsim.Simulator {
	sim := fusebillsim.New(fusebillsim.Config{
		APIKey:          o.key,
		LimitMinute:     o.limitMinute,
		DiscardRequests: true,
		Behavior:        fusebillsim.Behavior{Latency: o.latency},
	})
	for i, id := range sim.AddSampleCustomers(o.customers)[:o.latched] {
		sim.SetLatch(id, 101+int64(i), 500_000+int64(i))
	}
	return sim
}

// serve answers requests until ctx ends, and then cuts off those under way.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	return nil
}
