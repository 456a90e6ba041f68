package provider

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// The type of latches as Terraform sees it. IDs are texts there, so that the cells of a CSV file and numbers both fit, an
// empty cell can stand for none, and no reader of JSON rounds them.
var (
	latchObjectType = tftypes.Object{AttributeTypes: map[string]tftypes.Type{
		contactAttribute: tftypes.String,
		companyAttribute: tftypes.String,
	}}
	latchMapType = tftypes.Map{ElementType: latchObjectType}
)

const (
	contactAttribute = "hubspot_id"
	companyAttribute = "hubspot_company_id"
)

// latchTexts is the map of latches as it was written: Terraform wants planned values back to the letter. Packed, it is one
// text: for each element, by key, the key and a mark, and after a known mark the two IDs, each with a mark of its own.
// Texts come after their lengths, as in "7:2554529".
type latchTexts map[string]latchText

// latchText is an element. Its IDs are meaningful where it is known.
type latchText struct {
	mark             mark
	contact, company idText
}

// idText is an ID of an element; text is empty unless it is known.
type idText struct {
	mark mark
	text string
}

// mark tells whether a value is there.
type mark byte

const (
	known   mark = 'k'
	null    mark = 'n'
	unknown mark = 'u'
)

// pack writes the map as one text. Maps that are the same give the same text.
func (t latchTexts) pack() string {
	var packed strings.Builder
	writeText := func(text string) {
		packed.WriteString(strconv.Itoa(len(text)))
		packed.WriteByte(':')
		packed.WriteString(text)
	}
	for _, key := range slices.Sorted(maps.Keys(t)) {
		element := t[key]
		writeText(key)
		packed.WriteByte(byte(element.mark))
		if element.mark != known {
			continue
		}
		for _, id := range []idText{element.contact, element.company} {
			packed.WriteByte(byte(id.mark))
			if id.mark == known {
				writeText(id.text)
			}
		}
	}
	return packed.String()
}

var errNotPacked = errors.New("not packed latches; this is a bug in the provider")

// unpackTexts reads what pack wrote, and nothing else.
func unpackTexts(packed string) (latchTexts, error) {
	texts := make(latchTexts)
	reader := textReader{rest: packed}
	last := ""
	for reader.rest != "" && !reader.failed {
		key := reader.text()
		if key <= last && len(texts) > 0 {
			reader.failed = true
		}
		last = key
		element := latchText{mark: reader.mark()}
		if element.mark == known {
			element.contact = reader.id()
			element.company = reader.id()
		}
		texts[key] = element
	}
	if reader.failed {
		return nil, errNotPacked
	}
	return texts, nil
}

// textReader reads the parts of a packed text. After a failure it reads nothing any more.
type textReader struct {
	rest   string
	failed bool
}

func (r *textReader) text() string {
	length, rest, found := strings.Cut(r.rest, ":")
	n, err := strconv.Atoi(length)
	if !found || err != nil || n < 0 || n > len(rest) || strconv.Itoa(n) != length {
		r.failed = true
		return ""
	}
	r.rest = rest[n:]
	return rest[:n]
}

func (r *textReader) mark() mark {
	if r.failed || r.rest == "" || !strings.ContainsRune("knu", rune(r.rest[0])) {
		r.failed = true
		return null
	}
	m := mark(r.rest[0])
	r.rest = r.rest[1:]
	return m
}

func (r *textReader) id() idText {
	id := idText{mark: r.mark()}
	if id.mark == known {
		id.text = r.text()
	}
	return id
}

// packLatches turns Terraform's map into the text that the framework takes.
func packLatches(value tftypes.Value) (tftypes.Value, error) {
	if value.IsNull() {
		return tftypes.NewValue(tftypes.String, nil), nil
	}
	if !value.IsKnown() {
		return tftypes.NewValue(tftypes.String, tftypes.UnknownValue), nil
	}
	var elements map[string]tftypes.Value
	if err := value.As(&elements); err != nil {
		return value, err
	}
	texts := make(latchTexts, len(elements))
	for key, element := range elements {
		text := latchText{mark: markOf(element)}
		if text.mark == known {
			var attributes map[string]tftypes.Value
			if err := element.As(&attributes); err != nil {
				return value, err
			}
			var contactErr, companyErr error
			text.contact, contactErr = idTextOf(attributes[contactAttribute])
			text.company, companyErr = idTextOf(attributes[companyAttribute])
			if err := errors.Join(contactErr, companyErr); err != nil {
				return value, err
			}
		}
		texts[key] = text
	}
	return tftypes.NewValue(tftypes.String, texts.pack()), nil
}

// unpackLatches turns the framework's text into Terraform's map.
func unpackLatches(value tftypes.Value) (tftypes.Value, error) {
	if value.IsNull() {
		return tftypes.NewValue(latchMapType, nil), nil
	}
	if !value.IsKnown() {
		return tftypes.NewValue(latchMapType, tftypes.UnknownValue), nil
	}
	var packed string
	if err := value.As(&packed); err != nil {
		return value, err
	}
	texts, err := unpackTexts(packed)
	if err != nil {
		return value, err
	}
	elements := make(map[string]tftypes.Value, len(texts))
	for key, text := range texts {
		switch text.mark {
		case null:
			elements[key] = tftypes.NewValue(latchObjectType, nil)
		case unknown:
			elements[key] = tftypes.NewValue(latchObjectType, tftypes.UnknownValue)
		default:
			elements[key] = tftypes.NewValue(latchObjectType, map[string]tftypes.Value{
				contactAttribute: text.contact.value(),
				companyAttribute: text.company.value(),
			})
		}
	}
	return tftypes.NewValue(latchMapType, elements), nil
}

func markOf(value tftypes.Value) mark {
	switch {
	case value.IsNull():
		return null
	case !value.IsKnown():
		return unknown
	default:
		return known
	}
}

func idTextOf(value tftypes.Value) (idText, error) {
	id := idText{mark: markOf(value)}
	if id.mark != known {
		return id, nil
	}
	return id, value.As(&id.text)
}

func (id idText) value() tftypes.Value {
	switch id.mark {
	case null:
		return tftypes.NewValue(tftypes.String, nil)
	case unknown:
		return tftypes.NewValue(tftypes.String, tftypes.UnknownValue)
	default:
		return tftypes.NewValue(tftypes.String, id.text)
	}
}
