// Command plugin is the provider that the benchmark measures. An environment variable selects one
// of three, all of the same schema:
//
//   - "": the provider, served as in a release;
//   - "nothing": a provider that answers every request with what the request holds, which shows the
//     cost of Terraform and the protocol alone;
//   - "naive": the same, except that it reads each customer by one call, ten side by side, as a
//     generic provider does.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"golang.org/x/sync/errgroup"

	"github.com/fusebill/terraform-provider-fusebill/internal/fusebill"
	"github.com/fusebill/terraform-provider-fusebill/internal/provider"
)

func main() {
	serve := provider.NewServer("bench")
	if mode := os.Getenv("FUSEBILL_BENCH_MODE"); mode != "" {
		ours := serve()
		schemas, err := ours.GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
		if err != nil {
			log.Fatal(err)
		}
		serve = func() tfprotov6.ProviderServer {
			return idle{ours, schemas.ResourceSchemas, mode == "naive"}
		}
	}
	if err := errors.Join(provider.Serve(serve), recordMemory()); err != nil {
		log.Fatal(err)
	}
}

// idle is the provider that does nothing.
type idle struct {
	tfprotov6.ProviderServer

	schemas map[string]*tfprotov6.Schema
	isNaive bool
}

func (idle) ConfigureProvider(context.Context, *tfprotov6.ConfigureProviderRequest) (
	*tfprotov6.ConfigureProviderResponse, error) {
	return &tfprotov6.ConfigureProviderResponse{}, nil
}

func (idle) ValidateResourceConfig(context.Context, *tfprotov6.ValidateResourceConfigRequest) (
	*tfprotov6.ValidateResourceConfigResponse, error) {
	return &tfprotov6.ValidateResourceConfigResponse{}, nil
}

func (i idle) UpgradeResourceState(_ context.Context, req *tfprotov6.UpgradeResourceStateRequest) (
	*tfprotov6.UpgradeResourceStateResponse, error) {
	schema := i.schemas[req.TypeName].ValueType()
	value, err := req.RawState.Unmarshal(schema)
	if err != nil {
		return nil, err
	}
	state, err := tfprotov6.NewDynamicValue(schema, value)
	return &tfprotov6.UpgradeResourceStateResponse{UpgradedState: &state}, err
}

func (i idle) ReadResource(ctx context.Context, req *tfprotov6.ReadResourceRequest) (
	resp *tfprotov6.ReadResourceResponse, err error) {
	if i.isNaive {
		err = readEach(ctx)
	}
	return &tfprotov6.ReadResourceResponse{NewState: req.CurrentState, NewIdentity: req.CurrentIdentity,
		Private: req.Private}, err
}

func (idle) PlanResourceChange(_ context.Context, req *tfprotov6.PlanResourceChangeRequest) (
	*tfprotov6.PlanResourceChangeResponse, error) {
	return &tfprotov6.PlanResourceChangeResponse{PlannedState: req.ProposedNewState, PlannedPrivate: req.PriorPrivate,
		PlannedIdentity: req.PriorIdentity}, nil
}

// readEach makes one call for each customer of the configuration.
func readEach(ctx context.Context) error {
	var ids []int64
	text, err := os.ReadFile("customers.json")
	if err := errors.Join(err, json.Unmarshal(text, &ids)); err != nil {
		return err
	}
	client, err := fusebill.NewClient(os.Getenv("FUSEBILL_API_KEY"),
		fusebill.WithBaseURL(os.Getenv("FUSEBILL_BASE_URL")))
	if err != nil {
		return err
	}
	calls, ctx := errgroup.WithContext(ctx)
	calls.SetLimit(10)
	for _, id := range ids {
		calls.Go(func() error {
			_, err := client.Customer(ctx, id)
			return err
		})
	}
	return calls.Wait()
}

// recordMemory appends the most memory that this process has used, in KiB, to the file that the
// benchmark names. It reads /proc, which only Linux has: the numbers of getrusage include the CLI,
// which this process was before exec.
func recordMemory() error {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil //nolint:nilerr // The memory is not known then.
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	file, err := os.OpenFile(os.Getenv("FUSEBILL_BENCH_MEMORY"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(file, strings.Fields(after)[0])
	return errors.Join(err, file.Close())
}
