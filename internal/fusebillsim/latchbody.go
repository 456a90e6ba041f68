package fusebillsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// parseLatch reads the body of a latch call as leniently as the vendor's
// examples require: keys may lack quotes and differ in case, and an ID may be a
// numeric string.
func parseLatch(body []byte) (latch, error) {
	members, err := decodeObject(quoteKeys(body))
	if err != nil {
		return latch{}, err
	}
	var l latch
	for _, m := range members {
		var target *int64
		switch strings.ToLower(m.name) {
		case "fusebillid":
			target = &l.customer
		case "hubspotid":
			target = &l.contact
		case "hubspotcompanyid":
			target = &l.company
		default:
			continue
		}
		if *target, err = decodeID(m.value); err != nil {
			return latch{}, fmt.Errorf("%s: %w", m.name, err)
		}
	}
	if l.customer == 0 {
		return latch{}, errors.New("fusebillId is required")
	}
	return l, nil
}

// member is a member of a JSON object.
type member struct {
	name  string
	value json.RawMessage
}

var errNoObject = errors.New("the request body is not a JSON object")

// decodeObject returns the members of a JSON object in order. With a map, it would be random which
// of two keys wins that differ only in case.
func decodeObject(body []byte) ([]member, error) {
	if !json.Valid(body) {
		return nil, errNoObject
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	if start, err := dec.Token(); err != nil || start != json.Delim('{') {
		return nil, errNoObject
	}
	var members []member
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errNoObject, err)
		}
		var m member
		m.name, _ = key.(string) // the key of a valid object is one
		if err := dec.Decode(&m.value); err != nil {
			return nil, fmt.Errorf("%w: %w", errNoObject, err)
		}
		members = append(members, m)
	}
	return members, nil
}

// decodeID reads an ID without a float, which would round it. It returns 0 for null.
func decodeID(value json.RawMessage) (int64, error) {
	text := string(value)
	if text == "null" {
		return 0, nil
	}
	if text[0] == '"' {
		if err := json.Unmarshal(value, &text); err != nil {
			return 0, fmt.Errorf("not an ID: %w", err)
		}
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("not an ID: %s", value)
	}
	if id < 1 {
		return 0, fmt.Errorf("%d is below 1", id)
	}
	return id, nil
}

// quoteKeys puts quotes around the bare keys of a JavaScript object, such as {fusebillId:1}, which
// the service accepts although it is not JSON. It does not change valid JSON, in which no brace or
// comma is followed by a word and a colon.
func quoteKeys(text []byte) []byte {
	out := make([]byte, 0, len(text)+16)
	var last byte // the last byte so far that is no white space
	for len(text) > 0 {
		var token []byte
		switch c := text[0]; {
		case c == '"':
			token = text[:stringLength(text)]
		case isWord(c):
			token = text[:wordLength(text)]
		default:
			token = text[:1]
		}
		text = text[len(token):]
		if isWord(token[0]) && (last == '{' || last == ',') && startsWithColon(text) {
			token = slices.Concat([]byte{'"'}, token, []byte{'"'})
		}
		if c := token[len(token)-1]; !isSpace(c) {
			last = c
		}
		out = append(out, token...)
	}
	return out
}

func startsWithColon(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte{':'})
}

// stringLength returns the length of the quoted string at the start of text,
// or all of text if the string does not end.
func stringLength(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

func wordLength(text []byte) int {
	n := 0
	for n < len(text) && isWord(text[n]) {
		n++
	}
	return n
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\r' || c == '\n'
}
