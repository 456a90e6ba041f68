package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// These tests promise that the schema keeps what a released version offers, and requires nothing
// new. A version that may break the schema, and does, removes the folders of the versions that it
// breaks with (see CONTRIBUTING.md).

// printedSchema returns the schema of this version in the format of `terraform providers schema
// -json`.
func printedSchema(t *testing.T) []byte {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "go", "run", "../schemajson").Output()
	if err != nil {
		t.Fatal(err)
	}
	return output
}

// feature is the promise of one part of a schema: a resource, an attribute, a block or a function.
type feature struct {
	form      string // the type of an attribute, the nesting of a block, the signature of a function
	version   int64
	required  bool
	settable  bool
	computed  bool
	sensitive bool
}

// schemaJSON has the parts of all kinds of schemas.
type schemaJSON struct {
	Version    int64
	Block      blockJSON
	Attributes map[string]attributeJSON // of an identity
	ReturnType json.RawMessage          `json:"return_type"` // of a function, with its parameters
	Parameters []attributeJSON
	Variadic   attributeJSON `json:"variadic_parameter"`
}

type blockJSON struct {
	Attributes map[string]attributeJSON
	Blocks     map[string]struct {
		NestingMode string `json:"nesting_mode"`
		MinItems    int    `json:"min_items"`
		Block       blockJSON
	} `json:"block_types"`
}

type attributeJSON struct {
	Type   json.RawMessage
	Nested struct {
		NestingMode string `json:"nesting_mode"`
		Attributes  map[string]attributeJSON
	} `json:"nested_type"`
	Required, Optional, Computed, Sensitive bool
	RequiredForImport                       bool `json:"required_for_import"`
	OptionalForImport                       bool `json:"optional_for_import"`
}

// featuresOf returns the parts of a printed schema by their path.
func featuresOf(t *testing.T, printed []byte) map[string]feature {
	t.Helper()
	var schemas struct {
		Providers map[string]map[string]json.RawMessage `json:"provider_schemas"`
	}
	if err := json.Unmarshal(printed, &schemas); err != nil {
		t.Fatal(err)
	}
	features := map[string]feature{}
	for kind, text := range schemas.Providers["fusebill"] {
		of := map[string]schemaJSON{}
		var err error
		if kind == "provider" {
			var s schemaJSON
			err = json.Unmarshal(text, &s)
			of["fusebill"] = s
		} else {
			err = json.Unmarshal(text, &of)
		}
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		for name, s := range of {
			s.features(features, strings.TrimSuffix(kind, "_schemas")+" "+name)
		}
	}
	return features
}

func (s schemaJSON) features(to map[string]feature, name string) {
	form := ""
	if s.ReturnType != nil {
		var parameters []string
		for _, p := range append(s.Parameters, s.Variadic) {
			parameters = append(parameters, compact(p.Type))
		}
		form = fmt.Sprintf("%s (%s)", compact(s.ReturnType), strings.Join(parameters, ","))
	}
	to[name] = feature{form: form, version: s.Version}
	attributeFeatures(to, name, s.Attributes)
	s.Block.features(to, name)
}

func (b blockJSON) features(to map[string]feature, name string) {
	attributeFeatures(to, name, b.Attributes)
	for inner, nested := range b.Blocks {
		inner = name + "." + inner
		to[inner] = feature{form: nested.NestingMode + " block", required: nested.MinItems > 0, settable: true}
		nested.Block.features(to, inner)
	}
}

func attributeFeatures(to map[string]feature, name string, attributes map[string]attributeJSON) {
	for inner, a := range attributes {
		inner = name + "." + inner
		to[inner] = feature{
			form:      compact(a.Type) + a.Nested.NestingMode,
			required:  a.Required || a.RequiredForImport,
			settable:  a.Required || a.Optional || a.RequiredForImport || a.OptionalForImport,
			computed:  a.Computed,
			sensitive: a.Sensitive,
		}
		attributeFeatures(to, inner, a.Nested.Attributes)
	}
}

func compact(text json.RawMessage) string {
	var b bytes.Buffer
	_ = json.Compact(&b, text) // An absent value stays empty.
	return b.String()
}

// breaks lists the promises of an older schema that a newer one breaks.
func breaks(older, newer map[string]feature) []string {
	var broken []string
	report := func(is bool, name, what string) {
		if is {
			broken = append(broken, name+" "+what)
		}
	}
	for name, was := range older {
		now, ok := newer[name]
		if !ok {
			report(true, name, "is gone")
			continue
		}
		report(now.form != was.form, name, fmt.Sprintf("was %s and is %s", was.form, now.form))
		report(now.version < was.version, name, fmt.Sprintf("was of version %d and is of %d", was.version, now.version))
		report(now.required && !was.required, name, "has become required")
		report(was.settable && !now.settable, name, "can no longer be set")
		report(was.computed && !now.computed, name, "is no longer computed")
		report(was.sensitive && !now.sensitive, name, "is no longer sensitive")
	}
	for name, now := range newer {
		_, known := older[name]
		_, inKnown := older[name[:max(0, strings.LastIndex(name, "."))]]
		report(now.required && !known && inKnown, name, "is new and required")
	}
	slices.Sort(broken)
	return broken
}

func TestReleased_schema(t *testing.T) {
	t.Parallel()
	current := featuresOf(t, printedSchema(t))
	for _, version := range releasedVersions(t) {
		released := featuresOf(t, []byte(readReleased(t, version, "schema.json")))
		if len(released) < 50 {
			t.Errorf("only %d features were found in the schema of %s", len(released), version)
		}
		for _, broken := range breaks(released, current) {
			t.Errorf("since %s, %s (a version without a tag is recorded again by RELEASED=%s make test)",
				version, broken, version)
		}
	}
}

// TestBreaks checks that the comparison finds each kind of break.
func TestBreaks(t *testing.T) {
	t.Parallel()
	const printed = `{"provider_schemas": {"fusebill": {
		"provider": {"block": {"attributes": {"api_key": {"type": "string", "optional": true, "sensitive": true}}}},
		"resource_schemas": {"fusebill_latch": {"version": 1, "block": {
			"attributes": {
				"customer": {"type": "number", "required": true},
				"contact": {"type": "number", "optional": true},
				"status": {"type": "string", "computed": true},
				"latches": {"nested_type": {"nesting_mode": "map", "attributes": {"vid": {"type": "number", "optional": true}}}, "optional": true}},
			"block_types": {"timeouts": {"nesting_mode": "single", "block": {"attributes": {"read": {"type": "string", "optional": true}}}}}}}},
		"resource_identity_schemas": {"fusebill_latch": {"attributes": {
			"customer": {"type": "number", "required_for_import": true}, "region": {"type": "string", "optional_for_import": true}}}},
		"functions": {"parse": {"return_type": ["object", {"id": "number"}], "parameters": [{"name": "url", "type": "string"}]}}}}}`
	older := featuresOf(t, []byte(printed))
	for _, test := range []struct{ from, to, want string }{
		{`"contact": {`, `"hubspot_id": {`, "resource fusebill_latch.contact is gone"},
		{`"contact": {"type": "number"`, `"contact": {"type": "string"`, `resource fusebill_latch.contact was "number" and is "string"`},
		{`"contact": {"type": "number", "optional"`, `"contact": {"type": "number", "required"`, "resource fusebill_latch.contact has become required"},
		{`"contact": {"type": "number", "optional"`, `"contact": {"type": "number", "computed"`, "resource fusebill_latch.contact can no longer be set"},
		{`"contact": `, `"new": {"type": "bool", "required": true}, "contact": `, "resource fusebill_latch.new is new and required"},
		{`"string", "computed"`, `"string", "optional"`, "resource fusebill_latch.status is no longer computed"},
		{`, "sensitive": true`, ``, "provider fusebill.api_key is no longer sensitive"},
		{`"version": 1`, `"version": 0`, "resource fusebill_latch was of version 1 and is of 0"},
		{`"nesting_mode": "map"`, `"nesting_mode": "list"`, "resource fusebill_latch.latches was map and is list"},
		{`"vid"`, `"id"`, "resource fusebill_latch.latches.vid is gone"},
		{`"read"`, `"write"`, "resource fusebill_latch.timeouts.read is gone"},
		{`"single"`, `"single", "min_items": 1`, "resource fusebill_latch.timeouts has become required"},
		{`"optional_for_import"`, `"required_for_import"`, "resource_identity fusebill_latch.region has become required"},
		{`{"id": "number"}`, `{"id": "string"}`, `functions parse was ["object",{"id":"number"}] ("string",) and is ["object",{"id":"string"}] ("string",)`},
		{`"parse"`, `"read"`, "functions parse is gone"},
		// Changes that break nothing.
		{`"contact": `, `"new": {"type": "bool", "optional": true}, "contact": `, ""},
		{`"customer": {"type": "number", "required"`, `"customer": {"type": "number", "optional"`, ""},
		{`"string", "computed"`, `"string", "optional": true, "computed"`, ""},
		{`"version": 1`, `"version": 2`, ""},
		{`"parse"`, `"other": {"return_type": "string"}, "parse"`, ""},
	} {
		if strings.Count(printed, test.from) != 1 {
			t.Errorf("%s is not in the schema exactly once", test.from)
		}
		newer := featuresOf(t, []byte(strings.Replace(printed, test.from, test.to, 1)))
		got := strings.Join(breaks(older, newer), "\n")
		if got, _, _ := strings.Cut(got, "\n"); got != test.want {
			t.Errorf("%s instead of %s: found %q, want %q", test.to, test.from, got, test.want)
		}
	}
}
