package acceptance

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fusebill/terraform-provider-fusebill/internal/acctest"
)

// The tests here check that links of the documentation lead to files and headings of this
// repository, that pictures render in the registry, and that README and index lead to every guide.

var (
	codeBlock  = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	codeSpan   = regexp.MustCompile("`[^`\n]*`")
	markedLink = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading    = regexp.MustCompile(`(?m)^#{1,6} +(.+)$`)
	anchorTag  = regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
	linkInText = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	slugless   = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
	picture    = regexp.MustCompile(`!\[[^\]]*\]\(([^()\s]+)\)`)
)

// page is a page of the documentation, by its path in the repository.
type page struct {
	links    []string // as they stand there
	pictures []string
	anchors  map[string]bool
}

// readPages returns the pages that readers follow links from.
func readPages(t *testing.T) map[string]page {
	t.Helper()
	root := os.DirFS("../..")
	names := []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"}
	err := fs.WalkDir(root, "docs", func(name string, _ fs.DirEntry, err error) error {
		if path.Ext(name) == ".md" {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]page{}
	for _, name := range names {
		text, err := fs.ReadFile(root, name)
		if err != nil {
			t.Fatal(err)
		}
		pages[name] = readPage(string(text))
	}
	return pages
}

func readPage(text string) page {
	text = codeBlock.ReplaceAllString(text, "")
	p := page{anchors: map[string]bool{}}
	for _, match := range markedLink.FindAllStringSubmatch(codeSpan.ReplaceAllString(text, "``"), -1) {
		p.links = append(p.links, match[1])
	}
	for _, match := range picture.FindAllStringSubmatch(text, -1) {
		p.pictures = append(p.pictures, match[1])
	}
	for _, match := range anchorTag.FindAllStringSubmatch(text, -1) {
		p.anchors[match[1]] = true
	}
	for _, match := range heading.FindAllStringSubmatch(text, -1) {
		slug := slugOf(match[1])
		for n := 1; p.anchors[slug]; n++ {
			slug = fmt.Sprintf("%s-%d", slugOf(match[1]), n)
		}
		p.anchors[slug] = true
	}
	return p
}

// slugOf is the anchor that GitHub and the registry give a heading.
func slugOf(heading string) string {
	text := linkInText.ReplaceAllString(heading, "$1")
	return strings.ReplaceAll(slugless.ReplaceAllString(strings.ToLower(text), ""), " ", "-")
}

// rawFiles is where the files of this repository are served.
const rawFiles = "https://raw.githubusercontent.com/fusebill/terraform-provider-fusebill/main/"

// brokenPicture explains what is wrong with the address of a picture on a page; "" if nothing is.
// The registry has the pages of docs/ only, so a relative address shows no picture there.
func brokenPicture(from, address string) string {
	file, isRaw := strings.CutPrefix(address, rawFiles)
	if !isRaw {
		if strings.HasPrefix(from, "docs/") {
			return "does not render in the registry: begin it with " + rawFiles
		}
		return "" // It is checked as a link.
	}
	if _, err := fs.Stat(os.DirFS("../.."), file); err != nil {
		return "leads to a file that does not exist"
	}
	return ""
}

// broken explains what is wrong with a link on a page; "" if nothing is.
func broken(pages map[string]page, from, link string) string {
	if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
		return "" // It leads to another site, and a test makes no call.
	}
	file, anchor, hasAnchor := strings.Cut(link, "#")
	target := from
	if file != "" {
		target = path.Join(path.Dir(from), file)
	}
	if !fs.ValidPath(target) {
		return "leads out of the repository"
	}
	if strings.HasPrefix(from, "docs/") && !strings.HasPrefix(target, "docs/") {
		return "leads out of docs/, which is all that the registry has"
	}
	if _, err := fs.Stat(os.DirFS("../.."), target); err != nil {
		return "leads to a file that does not exist"
	}
	if to, ok := pages[target]; hasAnchor && (!ok || !to.anchors[anchor]) {
		return "leads to a heading that does not exist"
	}
	return ""
}

func TestDocsLinks(t *testing.T) {
	t.Parallel()
	pages := readPages(t)
	checked := 0
	for name, p := range pages {
		for _, link := range p.links {
			if fault := broken(pages, name, link); fault != "" {
				t.Errorf("%s: the link %s %s", name, link, fault)
			}
			checked++
		}
		for _, address := range p.pictures {
			if fault := brokenPicture(name, address); fault != "" {
				t.Errorf("%s: the picture %s %s", name, address, fault)
			}
		}
	}
	if checked < 50 {
		t.Errorf("only %d links were found", checked)
	}
	for _, link := range []string{
		"no-such-page.md", "index.md#no-such-heading", "#no-such-heading", "../README.md", "../../../x.md",
	} {
		if broken(pages, "docs/index.md", link) == "" {
			t.Errorf("the link %s is broken, and passes", link)
		}
	}
	for _, address := range []string{"images/calls.svg", rawFiles + "docs/images/no-such-picture.svg"} {
		if brokenPicture("docs/index.md", address) == "" {
			t.Errorf("the picture %s is broken, and passes", address)
		}
	}
}

func TestDocsLeadToEveryGuide(t *testing.T) {
	t.Parallel()
	pages := readPages(t)
	for name := range pages {
		if !strings.HasPrefix(name, "docs/guides/") {
			continue
		}
		for from, link := range map[string]string{"README.md": name, "docs/index.md": strings.TrimPrefix(name, "docs/")} {
			if !slices.Contains(pages[from].links, link) {
				t.Errorf("%s does not lead to %s", from, link)
			}
		}
	}
}

func TestSlugOf(t *testing.T) {
	t.Parallel()
	for heading, want := range map[string]string{
		"Older CLIs":                                    "older-clis",
		"Nested Schema for `timeouts`":                  "nested-schema-for-timeouts",
		"[Plan](x.md), apply & repeat: a plan's costs?": "plan-apply--repeat-a-plans-costs",
		"fusebill_hubspot_latch (Resource)":             "fusebill_hubspot_latch-resource",
	} {
		if got := slugOf(heading); got != want {
			t.Errorf("the slug of %q is %q, want %q", heading, got, want)
		}
	}
}

// TestDocsNameTheProvider shows a publisher who changes the address of the provider where else the
// name is written.
func TestDocsNameTheProvider(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile(`source\s+= "([^"/]+/fusebill)"`)
	found := 0
	for _, root := range []string{examplesFolder, "../../docs", "../../README.md"} {
		err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(name)
			for _, match := range named.FindAllStringSubmatch(string(text), -1) {
				found++
				if match[1] != acctest.Source {
					t.Errorf("%s names the provider %q, and its address says %q", name, match[1], acctest.Source)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 10 {
		t.Errorf("only %d places name the provider: are they looked for rightly?", found)
	}
}
