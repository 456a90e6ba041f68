package acceptance

import (
	"fmt"
	"go/scanner"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The limits of lines in characters; a tab counts as one.
const (
	maxCommentLine = 100
	maxCodeLine    = 120
	maxProseLine   = 120
)

// A styleFinding is one place that breaks a rule of style.
type styleFinding struct {
	path    string
	line    int
	found   string
	instead string
}

func (f styleFinding) String() string {
	return fmt.Sprintf("%s:%d: %q: write instead: %s", f.path, f.line, f.found, f.instead)
}

// A styleChecker collects the findings in one file.
type styleChecker struct {
	path     string
	phrases  map[string][]stylePhrase
	findings []styleFinding
}

// checkStyle returns the findings in one file, in the order of their lines.
func checkStyle(path string, content []byte, phrases map[string][]stylePhrase) []styleFinding {
	c := &styleChecker{path: path, phrases: phrases}
	switch base := filepath.Base(path); {
	case strings.HasSuffix(base, ".go"):
		c.goFile(content)
	case strings.HasSuffix(base, ".md"), strings.HasSuffix(base, ".md.tmpl"):
		c.markdown(content)
	default:
		c.script(content)
	}
	slices.SortStableFunc(c.findings, func(a, b styleFinding) int { return a.line - b.line })
	return c.findings
}

func (c *styleChecker) add(line int, found, instead string) {
	c.findings = append(c.findings, styleFinding{c.path, line, found, instead})
}

// A styleBlock is a paragraph, a comment or a string. A phrase in it may cross the end of a line.
type styleBlock struct {
	kind  styleKind
	text  string
	lines []int // the number of the source line of each word in text
}

func (b *styleBlock) append(line int, text string) {
	for word := range strings.FieldsSeq(text) {
		b.text = strings.TrimPrefix(b.text+" "+word, " ")
		b.lines = append(b.lines, line)
	}
}

// flush applies the rules to a block and empties it. One place has at most one finding.
func (c *styleChecker) flush(b *styleBlock) {
	c.findPhrases(b.text, b.lines)
	seen := map[int]bool{}
	for _, r := range styleGrammar {
		if !slices.Contains(r.kinds, b.kind) {
			continue
		}
		for _, match := range r.pattern.FindAllStringIndex(b.text, -1) {
			found := strings.TrimLeft(b.text[match[0]:match[1]], ".!?) ")
			start := match[1] - len(found)
			if !seen[start] {
				seen[start] = true
				c.add(b.lines[strings.Count(b.text[:start], " ")], clipSentence(found), r.instead)
			}
		}
	}
	*b = styleBlock{kind: b.kind}
}

// clipSentence shortens a sentence to its first words.
func clipSentence(text string) string {
	if words := strings.Fields(text); len(words) > 5 {
		return strings.Join(words[:5], " ") + " …"
	}
	return text
}

var (
	styleCamelCase = regexp.MustCompile(`([a-z0-9])([A-Z])`) // the ends of words in a Go name
	styleDirective = regexp.MustCompile(`^//(?:go:|nolint)`)
)

// goFile checks names, comments, strings and lengths of lines. Strings joined by + are one text.
func (c *styleChecker) goFile(content []byte) {
	strs := styleMessage
	if strings.HasSuffix(c.path, "_test.go") || strings.Contains(c.path, "internal/acctest/") {
		strs = styleCode
	}
	files := token.NewFileSet()
	file := files.AddFile(c.path, files.Base(), len(content))
	var s scanner.Scanner
	s.Init(file, content, nil, scanner.ScanComments)

	comments, text := &styleBlock{kind: styleComment}, &styleBlock{kind: strs}
	raw, names := map[int]bool{}, map[string]bool{}
	lastComment, lastCode := 0, 0
	for {
		pos, tok, lit := s.Scan()
		line := file.Line(pos)
		if tok == token.COMMENT && (line > lastComment+1 || line == lastCode) {
			c.flush(comments)
		}
		if tok != token.STRING && tok != token.ADD && tok != token.COMMENT {
			c.flush(text)
		}
		if tok != token.COMMENT {
			lastCode = line
		}
		switch tok {
		case token.EOF:
			c.flush(comments)
			c.goLines(content, raw)
			return
		case token.IDENT:
			if !names[lit] { // the first use of a name is enough
				words := styleCamelCase.ReplaceAllString(lit, "$1 $2")
				c.flush(&styleBlock{styleCode, words, slices.Repeat([]int{line}, len(lit))})
			}
			names[lit] = true
		case token.STRING:
			unquoted, _ := strconv.Unquote(lit)
			isRaw := strings.HasPrefix(lit, "`")
			for part := range strings.SplitSeq(unquoted, "\n") {
				text.append(line, part)
				raw[line] = raw[line] || isRaw
				if isRaw {
					line++
				}
			}
		case token.COMMENT:
			for part := range strings.SplitSeq(strings.TrimSuffix(lit, "*/"), "\n") {
				if part = strings.TrimLeft(part, "/* \t"); part == "" || styleDirective.MatchString(lit) {
					c.flush(comments)
				} else {
					comments.append(line, part)
				}
				lastComment = line
				line++
			}
		}
	}
}

// goLines checks the lengths of lines. An address, a directive and a raw string cannot be wrapped.
func (c *styleChecker) goLines(content []byte, raw map[int]bool) {
	for i, line := range styleLines(content) {
		kind, most, trimmed := "code", maxCodeLine, strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "//") {
			kind, most = "comment", maxCommentLine
		}
		length := utf8.RuneCountInString(line)
		if length > most && !raw[i+1] && !strings.Contains(line, "://") && !styleDirective.MatchString(trimmed) {
			c.add(i+1, fmt.Sprintf("%d columns", length), fmt.Sprintf("%s lines of at most %d", kind, most))
		}
	}
}

var (
	styleListItem = regexp.MustCompile(`^\s*(?:[-*+]|\d+\.)\s+`)
	styleHeading  = regexp.MustCompile(`^#+\s+(.*)`)
	styleQuestion = regexp.MustCompile(`^(?:What|Where|Who|Whoever|Whether|Whatever)\b|\?\s*$`)
)

// markdown checks paragraphs, headings, tables, and the code in fences for phrases only.
func (c *styleChecker) markdown(content []byte) {
	paragraph, fenced := &styleBlock{kind: styleProse}, false
	for i, line := range styleLines(content) {
		trimmed := strings.TrimSpace(line)
		table := strings.HasPrefix(trimmed, "|")
		fence := strings.HasPrefix(trimmed, "```")
		if trimmed == "" || fence || fenced || table || styleListItem.MatchString(line) || styleHeading.MatchString(line) {
			c.flush(paragraph)
		}
		switch {
		case fence:
			fenced = !fenced
			continue
		case fenced:
			paragraph.kind = styleCode
			paragraph.append(i+1, line)
			c.flush(paragraph)
			paragraph.kind = styleProse
			continue
		case styleHeading.MatchString(line):
			if title := styleHeading.FindStringSubmatch(line)[1]; styleQuestion.MatchString(title) {
				c.add(i+1, title, "a heading that is a task or a noun")
			}
		}
		if length := utf8.RuneCountInString(line); length > maxProseLine && !table && strings.Contains(trimmed, " ") {
			c.add(i+1, fmt.Sprintf("%d columns", length), fmt.Sprintf("prose lines of at most %d", maxProseLine))
		}
		paragraph.append(i+1, styleListItem.ReplaceAllString(line, ""))
	}
	c.flush(paragraph)
}

// styleScriptComment splits a line of a script, HCL, YAML or make into code and comment.
var styleScriptComment = regexp.MustCompile(`^(.*?)(?:^|\s)(?:#+|//)\s(.*)$`)

// script checks comments and, line by line, everything else. Examples have the rules of Markdown.
func (c *styleChecker) script(content []byte) {
	comments, rest := &styleBlock{kind: styleComment}, &styleBlock{kind: styleMessage}
	if strings.HasPrefix(c.path, "examples/") {
		comments.kind, rest.kind = styleExample, styleProse
	}
	for i, line := range styleLines(content) {
		text := line
		match := styleScriptComment.FindStringSubmatch(line)
		if match != nil {
			text = match[1]
		}
		if match == nil || strings.TrimSpace(text) != "" {
			c.flush(comments)
		}
		if match != nil {
			comments.append(i+1, match[2])
		}
		rest.append(i+1, text)
		c.flush(rest)
	}
	c.flush(comments)
}

func styleLines(content []byte) []string {
	return strings.Split(strings.TrimSuffix(string(content), "\n"), "\n")
}
