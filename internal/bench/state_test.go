package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// One instance of each kind as Terraform 1.14 writes it; older ones leave the identity out.
const (
	latchSample = `{"version": 4, "serial": 1, "resources": [{"type": "fusebill_hubspot_latch", "instances": [{
		"index_key": 0, "schema_version": 0, "attributes": {"allow_reassociation": null, "fusebill_id": 1,
		"hubspot_company_id": 3, "hubspot_id": 2, "timeouts": null}, "identity": {"fusebill_id": 1}}]}]}`
	dataSample = `{"version": 4, "resources": [{"type": "terraform_data", "instances": [{
		"index_key": 0, "attributes": {"id": "b5", "input": {"value": 2, "type": "number"},
		"output": {"value": 2, "type": "number"}, "triggers_replace": null}}]}]}`
)

func TestSampleState_with(t *testing.T) {
	t.Parallel()
	// Above 2^53, where a float would change them.
	latches := []declaredLatch{latchFor(9007199254740993), latchFor(7)}
	for name, c := range map[string]struct{ sample, want string }{
		"latch": {latchSample, `{"resources": [{"instances": [
			{"attributes": {"allow_reassociation": null, "fusebill_id": 9007199254740993, "hubspot_company_id": 9007229254740993,
			"hubspot_id": 9007219254740993, "timeouts": null}, "identity": {"fusebill_id": 9007199254740993},
			"index_key": 0, "schema_version": 0},
			{"attributes": {"allow_reassociation": null, "fusebill_id": 7, "hubspot_company_id": 30000000007,
			"hubspot_id": 20000000007, "timeouts": null}, "identity": {"fusebill_id": 7}, "index_key": 1, "schema_version": 0}],
			"type": "fusebill_hubspot_latch"}], "serial": 1, "version": 4}`},
		"terraform_data": {dataSample, `{"resources": [{"instances": [
			{"attributes": {"id": "b5", "input": {"type": "number", "value": 9007219254740993},
			"output": {"type": "number", "value": 9007219254740993}, "triggers_replace": null}, "index_key": 0},
			{"attributes": {"id": "b5", "input": {"type": "number", "value": 20000000007},
			"output": {"type": "number", "value": 20000000007}, "triggers_replace": null}, "index_key": 1}],
			"type": "terraform_data"}], "version": 4}`},
	} {
		got, err := sampleState(c.sample).with(latches)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(withoutSpace(c.want), withoutSpace(string(got))); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", name, diff)
		}
	}
}

func TestSampleState_with_refuses(t *testing.T) {
	t.Parallel()
	for name, sample := range map[string]string{
		"no JSON":       `not JSON`,
		"no resources":  `{"resources": []}`,
		"two instances": `{"resources": [{"instances": [{}, {}]}]}`,
		"no attributes": `{"resources": [{"instances": [{}]}]}`,
	} {
		if got, err := sampleState(sample).with([]declaredLatch{latchFor(7)}); err == nil {
			t.Errorf("%s: got %s, want an error", name, got)
		}
	}
}

func withoutSpace(text string) string { return strings.Join(strings.Fields(text), "") }
