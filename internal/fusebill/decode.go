package fusebill

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// decoder reads the service's customers in one pass over the bytes of an answer. It is lenient,
// because the forms of the service's values are not all documented: it ignores the letter case of
// keys, skips unknown keys, and uses the last of several equal ones. It accepts IDs as numbers or
// numeric strings, and any scalar as a string. A field that cannot be read does not affect the
// others.
//
// Package encoding/json reads the bytes several times: once to check the syntax, once to find each
// entry, and then both again for each entry. Package encoding/json/jsontext, which this one
// mirrors, is part of Go from 1.27 on and can replace it then.
type decoder struct {
	*jsontext.Decoder
	mask    mask
	scratch []byte
}

func newDecoder(body []byte, mask mask) *decoder {
	return &decoder{mask: mask, Decoder: jsontext.NewDecoder(bytes.NewBuffer(body),
		jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
}

// unexpectedJSONError reports an answer that is complete JSON but not of the expected form. A retry
// would have the same result.
type unexpectedJSONError struct{ text string }

func (e *unexpectedJSONError) Error() string { return e.text }

// isCutOff reports whether an error of a decoder means that the answer is not complete JSON. It may
// be a page of a proxy or a part of an answer, so a retry may succeed.
func isCutOff(err error) bool {
	_, unexpected := errors.AsType[*unexpectedJSONError](err)
	return err != nil && !unexpected
}

// decodeCustomer decodes a customer object. Its ID is not 0, and its Latch not nil.
func decodeCustomer(body []byte, mask mask) (Customer, error) {
	d := newDecoder(body, mask)
	fields, err := d.readEntry()
	if err == nil {
		err = d.readEnd()
	}
	if err != nil {
		return Customer{}, syntaxError(err)
	}
	customer := fields.customer()
	if why := fields.fault(); why != "" {
		return Customer{}, &unexpectedJSONError{why}
	}
	return customer, nil
}

// decodeCustomers decodes a list of customer objects. An entry whose latch is absent or cannot be
// read has a nil Latch. Entries without a readable ID are only counted.
func decodeCustomers(body []byte, mask mask) (customers []Customer, unreadable int, err error) {
	d := newDecoder(body, mask)
	kind := d.PeekKind()
	if kind != jsontext.KindBeginArray {
		if err := d.SkipValue(); err != nil {
			return nil, 0, syntaxError(err)
		}
		if err := d.readEnd(); err != nil {
			return nil, 0, syntaxError(err)
		}
		return nil, 0, &unexpectedJSONError{"the list is " + kindName(kind)}
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, 0, syntaxError(err)
	}
	customers = []Customer{}
	for d.PeekKind() != jsontext.KindEndArray {
		fields, err := d.readEntry()
		if err != nil {
			return nil, 0, syntaxError(err)
		}
		if fields.id.value == 0 {
			unreadable++
			continue
		}
		customers = append(customers, fields.customer())
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, 0, syntaxError(err)
	}
	if err := d.readEnd(); err != nil {
		return nil, 0, syntaxError(err)
	}
	return customers, unreadable, nil
}

// UnmarshalJSON decodes a customer object as the client does, for callers that get it in another
// way. The Latch may be nil. A value without a readable ID is an error.
func (c *Customer) UnmarshalJSON(data []byte) error {
	fields, err := newDecoder(data, func(text string) string { return text }).readEntry()
	if err != nil {
		return syntaxError(err)
	}
	if fields.id.value == 0 {
		return &unexpectedJSONError{fields.fault()}
	}
	*c = fields.customer()
	return nil
}

// syntaxError returns the error of a decoder without the path to the error, whose keys may be
// anything.
func syntaxError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the JSON ends too early")
	}
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok && syntax.Err != nil {
		return fmt.Errorf("%w at byte %d", syntax.Err, syntax.ByteOffset)
	}
	return err
}

// kindName returns the name of the kind of a value.
func kindName(kind jsontext.Kind) string {
	switch kind {
	case jsontext.KindNull:
		return "null"
	case jsontext.KindBeginObject:
		return "an object"
	case jsontext.KindBeginArray:
		return "a list"
	default:
		return "a single value"
	}
}

// readEnd returns an error if anything follows the value that was read.
func (d *decoder) readEnd() error {
	_, err := d.ReadToken()
	if err == nil {
		return errors.New("more than one JSON value")
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// entryFields are the fields of a customer object that this project uses, as they were read.
type entryFields struct {
	Customer // without ID and Latch

	kind                            jsontext.Kind
	id, hubSpotID, hubSpotCompanyID entryID
}

// readEntry reads one value, which should be a customer object. An error is one of syntax.
func (d *decoder) readEntry() (entryFields, error) {
	fields := entryFields{kind: d.PeekKind()}
	if fields.kind != jsontext.KindBeginObject {
		return fields, d.SkipValue()
	}
	if _, err := d.ReadToken(); err != nil {
		return fields, err
	}
	for d.PeekKind() != jsontext.KindEndObject {
		name, err := d.ReadValue()
		if err != nil {
			return fields, err
		}
		read := d.readerOf(name)
		if read == nil {
			if err := d.SkipValue(); err != nil {
				return fields, err
			}
			continue
		}
		value, err := d.ReadValue()
		if err != nil {
			return fields, err
		}
		read(d, &fields, value)
	}
	_, err := d.ReadToken()
	return fields, err
}

// fieldReader reads one field from the value of its key.
type fieldReader func(*decoder, *entryFields, jsontext.Value)

// fieldReaders are the readers of the keys that this project uses.
var fieldReaders = []struct {
	key  string
	read fieldReader
}{
	{"id", func(d *decoder, f *entryFields, v jsontext.Value) { f.id = d.id(v) }},
	{"hubSpotId", func(d *decoder, f *entryFields, v jsontext.Value) { f.hubSpotID = d.id(v) }},
	{"hubSpotCompanyId", func(d *decoder, f *entryFields, v jsontext.Value) { f.hubSpotCompanyID = d.id(v) }},
	{"reference", func(d *decoder, f *entryFields, v jsontext.Value) { f.Reference = d.mask(string(d.text(v))) }},
	{"firstName", func(d *decoder, f *entryFields, v jsontext.Value) { f.FirstName = d.mask(string(d.text(v))) }},
	{"lastName", func(d *decoder, f *entryFields, v jsontext.Value) { f.LastName = d.mask(string(d.text(v))) }},
	{"companyName", func(d *decoder, f *entryFields, v jsontext.Value) { f.CompanyName = d.mask(string(d.text(v))) }},
	{"primaryEmail", func(d *decoder, f *entryFields, v jsontext.Value) { f.PrimaryEmail = d.mask(string(d.text(v))) }},
	{"status", func(d *decoder, f *entryFields, v jsontext.Value) { f.Status = d.mask(status(d.text(v))) }},
	{"createdTimestamp", func(d *decoder, f *entryFields, v jsontext.Value) {
		f.Created, _ = parseTimestamp(string(d.text(v)))
	}},
	{"modifiedTimestamp", func(d *decoder, f *entryFields, v jsontext.Value) {
		f.Modified, _ = parseTimestamp(string(d.text(v)))
	}},
}

// readerOf returns the reader of a key, or nil for a key that this project does not use.
func (d *decoder) readerOf(name jsontext.Value) fieldReader {
	text := name[1 : len(name)-1]
	if bytes.IndexByte(text, '\\') >= 0 {
		text = d.text(name)
	}
	for _, field := range fieldReaders {
		if len(field.key) == len(text) && strings.EqualFold(field.key, string(text)) {
			return field.read
		}
	}
	return nil
}

// text returns a scalar as text, or nothing for any other value. The result is valid until the next
// call.
func (d *decoder) text(value jsontext.Value) []byte {
	switch value.Kind() {
	case jsontext.KindString:
		// An error is about invalid UTF-8, of which the text has a replacement character.
		d.scratch, _ = jsontext.AppendUnquote(d.scratch[:0], value)
		return d.scratch
	case jsontext.KindNumber, jsontext.KindTrue, jsontext.KindFalse:
		return value
	default:
		return nil
	}
}

// status returns the same string for all customers of a status, which saves memory in an account
// with many customers.
func status(text []byte) string {
	for _, known := range Statuses {
		if string(text) == known {
			return known
		}
	}
	return string(text)
}

// entryID is an ID as the service writes it. It never passes through a float.
type entryID struct {
	value     int64  // 0 for a null
	isPresent bool   // the key is there; a null is present
	invalid   string // the beginning of a value that is not an ID
}

func (d *decoder) id(value jsontext.Value) entryID {
	id := entryID{isPresent: true}
	if value.Kind() == jsontext.KindNull {
		return id
	}
	digits := d.text(value)
	if value.Kind() == jsontext.KindString {
		digits = bytes.TrimSpace(digits)
	}
	n, err := strconv.ParseUint(string(digits), 10, 63) // No sign, and no more than an int64 has.
	if err != nil {
		id.invalid = d.mask.excerpt(value)
		return id
	}
	id.value = int64(n)
	return id
}

// customer returns the customer that was read. Its Latch is nil where either ID is absent or cannot
// be read.
func (f *entryFields) customer() Customer {
	customer := f.Customer
	customer.ID = f.id.value
	if f.hubSpotID.isReadable() && f.hubSpotCompanyID.isReadable() {
		customer.Latch = &Latch{HubSpotID: f.hubSpotID.value, HubSpotCompanyID: f.hubSpotCompanyID.value}
	}
	return customer
}

func (id entryID) isReadable() bool { return id.isPresent && id.invalid == "" }

// fault explains why the fields are not those of a customer with a latch. It is empty where they
// are.
func (f *entryFields) fault() string {
	if f.kind != jsontext.KindBeginObject {
		return "the customer is " + kindName(f.kind)
	}
	for _, field := range []struct {
		key string
		id  entryID
	}{{"id", f.id}, {"hubSpotId", f.hubSpotID}, {"hubSpotCompanyId", f.hubSpotCompanyID}} {
		switch {
		case field.id.invalid != "":
			return fmt.Sprintf("%s is not an ID: %s", field.key, field.id.invalid)
		case !field.id.isPresent || field.key == "id" && field.id.value == 0:
			return "the customer has no " + field.key
		}
	}
	return ""
}
