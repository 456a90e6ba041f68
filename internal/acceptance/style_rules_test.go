package acceptance

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// styleKind is the use of a text: not every rule applies to every text.
type styleKind int

const (
	styleCode    styleKind = iota // names, the strings of tests, and code in Markdown
	styleComment                  // comments
	styleExample                  // comments of examples, which the documentation shows
	styleMessage                  // strings and commands that users can see
	styleProse                    // Markdown, and the code of examples
)

// A stylePhrase is wrong in all kinds of text.
type stylePhrase struct {
	words   []string
	instead string
}

// A styleRule finds sentences and words in texts of some kinds.
type styleRule struct {
	pattern *regexp.Regexp
	instead string
	kinds   []styleKind
}

// styleGrammar has the rules that are not about a phrase. A question may begin with a pronoun,
// except as a comment.
var styleGrammar = []styleRule{
	{
		regexp.MustCompile(`(?i)^(?:what|where|who|whoever|whether|whatever)\b`),
		"a comment that starts with its subject", []styleKind{styleComment, styleExample},
	},
	{
		regexp.MustCompile(`(?:^|[.!?]\)? )[*_"]*(?:What|Who|Whoever|Whether|Whatever)\b[^.!?]*(?:[.!]|$)`),
		"a sentence that starts with its subject", []styleKind{styleComment, styleExample, styleMessage, styleProse},
	},
	{
		regexp.MustCompile(`(?i)\b[a-z]+(?:n['’]t|['’](?:re|ve|ll))\b|` +
			`\b(?:it|that|there|here|what|who|let|he|she)['’]s\b|\bI['’]m\b`),
		"the words in full", []styleKind{styleExample, styleMessage, styleProse},
	},
}

// readStylePhrases reads a file of phrases. It returns them by their first word.
func readStylePhrases(path string) (map[string][]stylePhrase, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	phrases := map[string][]stylePhrase{}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		forms, instead, found := strings.Cut(line, " => ")
		if !found {
			return nil, fmt.Errorf("%s: no replacement: %s", path, line)
		}
		for form := range strings.SplitSeq(forms, ", ") {
			words := strings.Fields(form)
			phrases[words[0]] = append(phrases[words[0]], stylePhrase{words, instead})
		}
	}
	return phrases, nil
}

// findPhrases compares words. That is ten times as fast as regular expressions.
func (c *styleChecker) findPhrases(text string, lines []int) {
	var words []string
	var at []int
	for i, field := range strings.Fields(strings.ToLower(text)) {
		for word := range strings.FieldsFuncSeq(field, isStyleSeparator) {
			words = append(words, strings.TrimSuffix(strings.Trim(word, "'"), "'s"))
			at = append(at, lines[i])
		}
	}
	for i, word := range words {
		for _, p := range c.phrases[word] {
			if n := len(p.words); i+n <= len(words) && slices.Equal(words[i:i+n], p.words) {
				c.add(at[i], strings.Join(p.words, " "), p.instead)
				break
			}
		}
	}
}

func isStyleSeparator(r rune) bool {
	return !unicode.IsLetter(r) && r != '\''
}
