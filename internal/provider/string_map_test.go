package provider

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func mapValue(elements map[string]any) tftypes.Value {
	values := make(map[string]tftypes.Value, len(elements))
	for key, element := range elements {
		values[key] = tftypes.NewValue(tftypes.String, element)
	}
	return tftypes.NewValue(mapOfStrings, values)
}

// A map with known, null and unknown elements is the same after it was packed and unpacked.
func TestStringMap_roundTrip(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]tftypes.Value{
		"null":           tftypes.NewValue(mapOfStrings, nil),
		"unknown":        tftypes.NewValue(mapOfStrings, tftypes.UnknownValue),
		"empty":          mapValue(nil),
		"one":            mapValue(map[string]any{"2554529": "101"}),
		"null and empty": mapValue(map[string]any{"11": "101", "22": nil, "33": ""}),
		"unknown elements": mapValue(map[string]any{"11": tftypes.UnknownValue, "22": "102",
			"33": tftypes.UnknownValue}),
		"what JSON and HTML escape": mapValue(map[string]any{"": "\"", "k\x00\n": "käse", "日本": "<&>", "\u2028": "\\"}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			packed, err := packMap(value)
			if err != nil {
				t.Fatal(err)
			}
			if !packed.Type().Equal(tftypes.String) {
				t.Errorf("packed it is a %s", packed.Type())
			}
			got, err := unpackMap(packed)
			if err != nil {
				t.Fatal(err)
			}
			if !got.Equal(value) {
				t.Errorf("got %s, want %s", got, value)
			}
		})
	}
}

func TestStringMap_isEquivalentTo(t *testing.T) {
	t.Parallel()
	text := func(text string) *string { return &text }
	of := func(known map[string]*string, unknown ...string) stringMap {
		m := stringMap{Known: known, Unknown: map[string]bool{}}
		for _, key := range unknown {
			m.Unknown[key] = true
		}
		return m
	}
	one := of(map[string]*string{"11": text("101")})
	for name, test := range map[string]struct {
		a, b stringMap
		want bool
	}{
		"equal":         {one, of(map[string]*string{"11": text("101")}), true},
		"empty element": {one, of(map[string]*string{"11": text("101"), "22": nil, "33": text("")}), true},
		"null or empty": {of(map[string]*string{"22": nil}), of(map[string]*string{"22": text("")}), true},
		"other value":   {one, of(map[string]*string{"11": text("102")}), false},
		"other key":     {one, of(map[string]*string{"22": text("101")}), false},
		"one more":      {one, of(map[string]*string{"11": text("101"), "22": text("102")}), false},
		"unknown":       {one, of(map[string]*string{"11": text("101")}, "22"), false},
	} {
		if got, back := test.a.isEquivalentTo(test.b), test.b.isEquivalentTo(test.a); got != test.want || back != test.want {
			t.Errorf("%s: %t, and %t the other way round, want %t", name, got, back, test.want)
		}
	}
}

// FuzzStringMap unpacks any text. It checks that there is no panic, and that a map is the same
// after it was packed and unpacked.
func FuzzStringMap(f *testing.F) {
	for _, seed := range []string{"", "{}", `{"known":{}}`, `{"known":{"11":"101","22":null},"unknown":{"33":true}}`,
		`{"known":null}`, "null", "[1]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, packed string) {
		m, err := unpackStringMap(packed)
		if err != nil {
			return
		}
		text, err := m.pack()
		if err != nil {
			t.Fatal(err)
		}
		again, err := unpackStringMap(text)
		if err != nil {
			t.Fatal(err)
		}
		if final, err := again.pack(); err != nil || strings.Compare(final, text) != 0 {
			t.Errorf("%q is packed again as %q (%v)", text, final, err)
		}
	})
}
