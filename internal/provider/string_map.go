package provider

import (
	"encoding/json"
	"errors"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// stringMap is a map of strings as it was declared, null and unknown elements included, because a
// plan must return declared values unchanged. Its packed form is one JSON string, see
// [protocolLayer].
type stringMap struct {
	Known   map[string]*string `json:"known"`             // nil for a null element
	Unknown map[string]bool    `json:"unknown,omitempty"` // the keys of unknown elements
}

var mapOfStrings = tftypes.Map{ElementType: tftypes.String}

// pack returns the map as one string for the framework. Equal maps give equal strings.
func (m stringMap) pack() (string, error) {
	packed, err := json.Marshal(m) // It sorts keys.
	return string(packed), err
}

// unpackStringMap reads a map that pack has written.
func unpackStringMap(packed string) (stringMap, error) {
	var m stringMap
	if err := json.Unmarshal([]byte(packed), &m); err != nil || m.Known == nil {
		return stringMap{}, errors.Join(errors.New("not a packed map of strings; this is a bug in the provider"), err)
	}
	return m, nil
}

// value returns the map as an attribute.
func (m stringMap) value() types.String {
	packed, err := m.pack()
	if err != nil { // The encoding of strings does not fail.
		panic(err)
	}
	return types.StringValue(packed)
}

// text returns an element. It is empty for a null element and for a key that the map does not have.
func (m stringMap) text(key string) string {
	if text := m.Known[key]; text != nil {
		return *text
	}
	return ""
}

// isEquivalentTo reports whether two maps are equal or differ only in empty elements. Maps with
// unknown elements are not equivalent.
func (m stringMap) isEquivalentTo(other stringMap) bool {
	if len(m.Unknown) > 0 || len(other.Unknown) > 0 {
		return false
	}
	isSame := func(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }
	return maps.EqualFunc(m.Known, other.Known, isSame) || maps.Equal(m.texts(), other.texts())
}

// texts returns the elements that are not empty.
func (m stringMap) texts() map[string]string {
	texts := make(map[string]string, len(m.Known))
	for key, text := range m.Known {
		if text != nil && *text != "" {
			texts[key] = *text
		}
	}
	return texts
}

// packMap converts a map of Terraform to the string that the framework gets.
func packMap(value tftypes.Value) (tftypes.Value, error) {
	switch {
	case value.IsNull():
		return tftypes.NewValue(tftypes.String, nil), nil
	case !value.IsKnown():
		return tftypes.NewValue(tftypes.String, tftypes.UnknownValue), nil
	}
	var elements map[string]tftypes.Value
	if err := value.As(&elements); err != nil {
		return value, err
	}
	m := stringMap{Known: make(map[string]*string, len(elements))}
	for key, element := range elements {
		if !element.IsKnown() {
			if m.Unknown == nil {
				m.Unknown = make(map[string]bool)
			}
			m.Unknown[key] = true
			continue
		}
		var text *string
		if err := element.As(&text); err != nil {
			return value, err
		}
		m.Known[key] = text
	}
	packed, err := m.pack()
	return tftypes.NewValue(tftypes.String, packed), err
}

// unpackMap converts a string that packMap has made to a map of Terraform.
func unpackMap(value tftypes.Value) (tftypes.Value, error) {
	switch {
	case value.IsNull():
		return tftypes.NewValue(mapOfStrings, nil), nil
	case !value.IsKnown():
		return tftypes.NewValue(mapOfStrings, tftypes.UnknownValue), nil
	}
	var packed string
	if err := value.As(&packed); err != nil {
		return value, err
	}
	m, err := unpackStringMap(packed)
	if err != nil {
		return value, err
	}
	elements := make(map[string]tftypes.Value, len(m.Known)+len(m.Unknown))
	for key, text := range m.Known {
		elements[key] = tftypes.NewValue(tftypes.String, text)
	}
	for key := range m.Unknown {
		elements[key] = tftypes.NewValue(tftypes.String, tftypes.UnknownValue)
	}
	return tftypes.NewValue(mapOfStrings, elements), nil
}
