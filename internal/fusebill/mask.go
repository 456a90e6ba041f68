package fusebill

import (
	"html"
	"slices"
	"strconv"
	"strings"
)

// mask removes the API key from a text of a server: a proxy or a debugging server may answer with
// the request that it has received. Every such text is masked before it becomes part of an error, a
// log record or a customer. A mask is a function and not a struct, so printing a value cannot show
// the key.
type mask func(text string) string

const (
	// masked replaces a part of the key.
	masked = "***"
	// gramLength is the length of the shortest part of the key that is hidden, in letters and
	// digits.
	gramLength = 8
	// maxEscapes is the number of nested escapes that are resolved, such as %252B for a +.
	maxEscapes = 4
)

// gram is a run of letters and digits of gramLength bytes.
type gram uint64

// add appends a byte and drops the first one.
func (g gram) add(b byte) gram { return g<<8 | gram(b) }

// newMask returns the mask of a key. It resolves the escapes of JSON, HTML and URLs, and compares
// only letters and digits, because other characters of a key are often escaped, replaced (a + by a
// blank or a -), or wrapped to a new line. It does not mask a key with fewer than gramLength
// letters and digits, which may be in a text by chance.
func newMask(key string) mask {
	grams := make(map[gram]struct{})
	scan(letters(key), func(_ int, g gram) { grams[g] = struct{}{} })
	return func(text string) string {
		if len(text) < gramLength || len(grams) == 0 || !strings.ContainsAny(text, `%\&`) && !hasGram(text, grams) {
			return text
		}
		var out strings.Builder
		written, from, to := 0, 0, 0 // A part of the key is at text[from:to].
		flush := func() {
			if to > from {
				out.WriteString(text[written:from])
				out.WriteString(masked)
				written = to
			}
		}
		read := letters(text)
		scan(read, func(last int, g gram) {
			if _, found := grams[g]; !found {
				return
			}
			if start := read[last-gramLength+1].start; start >= to {
				flush()
				from = start
			}
			to = read[last].end
		})
		flush()
		return out.String() + text[written:]
	}
}

// error hides the key in the text of an error. The errors that it wraps can still be matched.
func (m mask) error(err error) error {
	if err == nil {
		return nil
	}
	if text := err.Error(); m(text) != text {
		return &maskedError{text: m(text), err: err}
	}
	return err
}

type maskedError struct {
	text string
	err  error
}

func (e *maskedError) Error() string { return e.text }
func (e *maskedError) Unwrap() error { return e.err }

// hasGram reports whether a text without escapes contains one of the grams. Hardly any text does.
func hasGram(text string, grams map[gram]struct{}) bool {
	var g gram
	count := 0
	for i := range len(text) {
		if !isAlphanumeric(text[i]) {
			continue
		}
		g = g.add(text[i])
		if count++; count < gramLength {
			continue
		}
		if _, found := grams[g]; found {
			return true
		}
	}
	return false
}

// char is a character of a text, and its position in the text.
type char struct {
	value      byte
	start, end int
}

// letters returns the letters and digits of a text, however they are escaped.
func letters(text string) []char {
	all := make([]char, len(text))
	for i := range len(text) {
		all[i] = char{text[i], i, i + 1}
	}
	for range maxEscapes {
		all = unescape(all)
	}
	return slices.DeleteFunc(all, func(c char) bool { return !isAlphanumeric(c.value) })
}

func isAlphanumeric(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z'
}

// scan calls visit for each gram of letters and digits, with the index of its last one.
func scan(letters []char, visit func(last int, g gram)) {
	var g gram
	for i, c := range letters {
		g = g.add(c.value)
		if i >= gramLength-1 {
			visit(i, g)
		}
	}
}

// unescape replaces one level of escapes.
func unescape(all []char) []char {
	text := make([]byte, len(all))
	for i, c := range all {
		text[i] = c.value
	}
	rest := string(text)
	decoded := make([]char, 0, len(all))
	for i := 0; i < len(all); {
		value, length := escaped(rest[i:])
		decoded = append(decoded, char{value, all[i].start, all[i+length-1].end})
		i += length
	}
	return decoded
}

// escaped returns the first character of a text, and the length of its escape.
func escaped(text string) (value byte, length int) {
	switch text[0] {
	case '%':
		return hexadecimal(text, 1, 3)
	case '\\':
		switch {
		case len(text) == 1:
		case text[1] == 'u':
			return hexadecimal(text, 2, 6)
		case text[1] == 'x':
			return hexadecimal(text, 2, 4)
		case strings.IndexByte(`\/"`, text[1]) >= 0:
			return text[1], 2
		}
	case '&':
		const longest = 12
		end := strings.IndexByte(text[:min(len(text), longest)], ';') + 1
		if character := html.UnescapeString(text[:end]); len(character) == 1 {
			return character[0], end
		}
	}
	return text[0], 1
}

// hexadecimal returns the ASCII character that has the number text[from:to], or else the first of
// the text.
func hexadecimal(text string, from, to int) (value byte, length int) {
	if len(text) >= to {
		if n, err := strconv.ParseUint(text[from:to], 16, 7); err == nil {
			return byte(n), to
		}
	}
	return text[0], 1
}
