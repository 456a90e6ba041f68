package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// idOf is an ID as it is written in a value of Terraform.
func idOf(text any) tftypes.Value { return tftypes.NewValue(tftypes.String, text) }

// latchValue is an element of the map as a value of Terraform.
func latchValue(contact, company any) tftypes.Value {
	return tftypes.NewValue(latchObjectType, map[string]tftypes.Value{contactAttribute: idOf(contact), companyAttribute: idOf(company)})
}

func mapValue(elements map[string]tftypes.Value) tftypes.Value {
	return tftypes.NewValue(latchMapType, elements)
}

// Whatever Terraform sends comes back as it was: known, null and unknown, at every place.
func TestLatchTexts_valuesComeBack(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]tftypes.Value{
		"null":      tftypes.NewValue(latchMapType, nil),
		"unknown":   tftypes.NewValue(latchMapType, tftypes.UnknownValue),
		"empty":     mapValue(map[string]tftypes.Value{}),
		"one":       mapValue(map[string]tftypes.Value{"2554529": latchValue("101", "202")}),
		"null IDs":  mapValue(map[string]tftypes.Value{"11": latchValue("101", nil), "22": latchValue(nil, "202"), "33": latchValue(nil, nil)}),
		"empty IDs": mapValue(map[string]tftypes.Value{"11": latchValue("101", ""), "22": latchValue("", "")}),
		"unknown IDs": mapValue(map[string]tftypes.Value{
			"11": latchValue(tftypes.UnknownValue, "202"), "22": latchValue("101", tftypes.UnknownValue), "33": latchValue(nil, tftypes.UnknownValue),
		}),
		"elements that aren't there": mapValue(map[string]tftypes.Value{
			"11": tftypes.NewValue(latchObjectType, nil), "22": tftypes.NewValue(latchObjectType, tftypes.UnknownValue), "33": latchValue("103", nil),
		}),
		"texts that look like the packing": mapValue(map[string]tftypes.Value{
			"": latchValue("k", "n"), "1:2": latchValue("7:2554529", "u3:abc"), "k\x00\n": latchValue("käse", "日本"), "9:": latchValue(":", "0:"),
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			packed, err := packLatches(value)
			if err != nil {
				t.Fatal(err)
			}
			if !packed.Type().Equal(tftypes.String) {
				t.Errorf("packed it is a %s", packed.Type())
			}
			got, err := unpackLatches(packed)
			if err != nil {
				t.Fatal(err)
			}
			if !got.Equal(value) {
				t.Errorf("got %s, want %s", got, value)
			}
		})
	}
}

func TestLatchTexts_packing(t *testing.T) {
	t.Parallel()
	for packed, want := range map[string]latchTexts{
		"":                        {},
		"2:11k3:101n":             nil, // The mark before the text is missing.
		"2:11kk3:101n":            {"11": {known, idText{known, "101"}, idText{null, ""}}},
		"2:11n2:22u":              {"11": {mark: null}, "22": {mark: unknown}},
		"0:kuk0:":                 {"": {known, idText{unknown, ""}, idText{known, ""}}},
		"2:22n2:11u":              nil, // not in order
		"2:11n2:11n":              nil, // twice
		"02:11n":                  nil, // another way to write a length
		"+2:11n":                  nil,
		"-2:11n":                  nil,
		"3:11n":                   nil, // cut off
		"2:11":                    nil,
		"2:11k":                   nil,
		"2:11kn":                  nil,
		"2:11kk3:10":              nil,
		"2:11x":                   nil, // no mark
		"2:11nx":                  nil,
		"9223372036854775808:11n": nil,
	} {
		got, err := unpackTexts(packed)
		switch {
		case want == nil && err == nil:
			t.Errorf("%q is taken for %v", packed, got)
		case want != nil && err != nil:
			t.Errorf("%q: %v", packed, err)
		case want != nil:
			if diff := diffTexts(want, got); diff != "" {
				t.Errorf("%q (- want, + got):\n%s", packed, diff)
			}
			if again := got.pack(); again != packed {
				t.Errorf("%q is packed again as %q", packed, again)
			}
		}
	}
}

// FuzzLatchTexts unpacks anything: it never panics, and what it accepts packs to the same text. What it makes of the text as
// keys and IDs comes back.
func FuzzLatchTexts(f *testing.F) {
	for _, seed := range []string{"", "2:11kk3:101n", "2:11n2:22u", "0:kuk0:", "2:22n2:11u", "02:11n", "9999999999:x", "7:2554529kk3:101k0:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if texts, err := unpackTexts(text); err == nil {
			if packed := texts.pack(); packed != text {
				t.Errorf("%q is packed again as %q", text, packed)
			}
		}
		texts := latchTexts{}
		for i, part := range strings.SplitAfter(text, ":") {
			marks := [3]mark{known, null, unknown}
			element := latchText{mark: marks[i%3]}
			if element.mark == known {
				element.contact, element.company = idText{mark: marks[len(part)%3]}, idText{mark: known, text: part}
			}
			texts[part] = element
		}
		got, err := unpackTexts(texts.pack())
		if err != nil {
			t.Fatal(err)
		}
		if diff := diffTexts(texts, got); diff != "" {
			t.Errorf("(- want, + got):\n%s", diff)
		}
	})
}
