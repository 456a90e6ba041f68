package acceptance

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const stylePhrases = "testdata/style_phrases.txt"

// TestStyle checks the English of comments, messages and documentation: the phrases of
// [stylePhrases], sentences that start with a pronoun, contractions, and long lines.
func TestStyle(t *testing.T) {
	t.Parallel()
	phrases, err := readStylePhrases(stylePhrases)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range styledFiles(t, "../..") {
		content, err := os.ReadFile(filepath.Join("../..", path))
		if err != nil {
			t.Fatal(err)
		}
		for _, finding := range checkStyle(path, content, phrases) {
			t.Error(finding)
		}
	}
}

// styledFiles returns the files that people write, relative to root. docs/ is left out, as it is
// generated from templates, examples and the strings of Go code. Test data is left out, too.
func styledFiles(t *testing.T, root string) []string {
	t.Helper()
	skipped := []string{".git", "build", "docs", "testdata", ".terraform"}
	extensions := []string{".go", ".md", ".tmpl", ".sh", ".tf", ".hcl", ".tfrc", ".yml", ".yaml", ".mod"}
	names := []string{"GNUmakefile", ".ci/run", ".editorconfig", ".gitattributes", ".gitignore"}
	var files []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		relative = filepath.ToSlash(relative)
		switch {
		case entry.IsDir() && slices.Contains(skipped, entry.Name()):
			return filepath.SkipDir
		case !entry.Type().IsRegular():
		case slices.Contains(extensions, filepath.Ext(path)), slices.Contains(names, relative):
			files = append(files, relative)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestStyleChecker checks the checker itself with the texts of testdata/style_cases.txt.
func TestStyleChecker(t *testing.T) {
	t.Parallel()
	phrases, err := readStylePhrases(stylePhrases)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile("testdata/style_cases.txt")
	if err != nil {
		t.Fatal(err)
	}
	var wants []string
	for line := range strings.Lines(string(content)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.SplitN(line, " => ", 3)
		if len(parts) != 3 {
			t.Fatalf("A case needs three parts: %s", line)
		}
		want := strings.ReplaceAll(parts[1], `\n`, " ")
		text := strings.ReplaceAll(parts[2], `\n`, "\n")
		findings := checkStyle(parts[0], []byte(text), phrases)
		switch {
		case want == "nothing" && len(findings) > 0:
			t.Errorf("%s: got %v, want no finding", line, findings)
		case want != "nothing" && (len(findings) != 1 || !strings.EqualFold(findings[0].found, want)):
			t.Errorf("%s: got %v, want one finding", line, findings)
		}
		wants = append(wants, want)
	}
	for _, r := range styleGrammar {
		if !slices.ContainsFunc(wants, r.pattern.MatchString) {
			t.Errorf("No case breaks the rule %s", r.pattern)
		}
	}
}

// TestStyleChecker_phrases breaks each rule about a phrase in each kind of file.
func TestStyleChecker_phrases(t *testing.T) {
	t.Parallel()
	phrases, err := readStylePhrases(stylePhrases)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"a.go": "// Yes: (%).", "a_test.go": "f(`%`)", "a.md": "It *%*", "run": "# %"}
	for _, sameStart := range phrases {
		for _, p := range sameStart {
			phrase := strings.Join(p.words, " ")
			for path, text := range texts {
				findings := checkStyle(path, []byte(strings.ReplaceAll(text, "%", phrase)), phrases)
				if len(findings) == 0 || findings[0].found != phrase {
					t.Errorf("%s: got %v, want %q", path, findings, phrase)
				}
			}
		}
	}
}

// TestStyleChecker_lines checks the lengths of lines, and the line numbers of findings.
func TestStyleChecker_lines(t *testing.T) {
	t.Parallel()
	word := strings.Repeat("é", 10) // ten columns, twenty bytes
	columns := func(start string, n int) string { return start + strings.Repeat(word+" ", n/11) + word[:2*(n%11)] }
	for _, c := range []struct {
		name, path, text string
		want             []int
	}{
		{"comment of 100 columns", "a.go", columns("// ", 97), nil},
		{"comment of 101 columns", "a.go", "\n" + columns("// ", 98), []int{2}},
		{"comment with an address", "a.go", columns("// https://example.com ", 97), nil},
		{"code of 120 columns", "a.go", columns("f() // ", 113), nil},
		{"code of 121 columns", "a.go", columns("f() // ", 114), []int{1}},
		{"raw string", "a.go", "var s = `\n" + columns("", 130) + "`", nil},
		{"prose of 120 columns", "a.md", columns("", 120), nil},
		{"prose of 121 columns", "a.md", columns("", 121), []int{1}},
		{"table", "a.md", columns("| ", 130), nil},
		{"code in Markdown", "a.md", "```\n" + columns("", 130) + "\n```", nil},
		{"script", "a.sh", columns("# ", 130), nil},
		{"second paragraph", "a.go", "package a\n\n// The page.\n//\n// Who knows.\nvar x = 1", []int{5}},
		{"comments of fields", "a.go", "var a int // A page.\nvar b int // who knows", []int{2}},
		{"string in parts", "a.go", "var x = \"a\" +\n\t\"b isn't \" +\n\t\"c\"", []int{2}},
		{"lines of a raw string", "a.go", "var x = `a\nb\nisn't`", []int{3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []int
			for _, f := range checkStyle(c.path, []byte(c.text), nil) {
				got = append(got, f.line)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got findings in lines %v, want %v", got, c.want)
			}
		})
	}
}
