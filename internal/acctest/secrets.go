package acctest

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/tfversion"
)

const (
	// pieceLength is the length of the shortest part of a key that counts. The test key consists of
	// words, which may also be in logs.
	pieceLength = 12
	// fewCustomers is the largest number of customers for which the CLI logs at TRACE. The size of
	// such logs grows with the number of latches times that of the runs.
	fewCustomers = 50
)

// secrets returns the texts that show a part of a key: every piece of the key, of its decoded form,
// and of its encoded forms, both alone and after "Basic ".
func secrets(key string) []string {
	decoded, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		panic(err)
	}
	var all []string
	for _, text := range []string{
		key,
		string(decoded),
		base64.StdEncoding.EncodeToString([]byte(key)),
		base64.StdEncoding.EncodeToString([]byte("Basic " + key)),
	} {
		for i := range len(text) - pieceLength + 1 {
			all = append(all, text[i:i+pieceLength])
		}
	}
	return all
}

// leaks finds parts of the test key in one pass, because logs are long and there are many parts.
var leaks = newLeakFinder(APIKey)

type leakFinder struct {
	pairs  *[256][256]bool // pairs of neighboring bytes in a piece, for a quick check
	pieces map[string]bool
}

func newLeakFinder(key string) leakFinder {
	f := leakFinder{new([256][256]bool), map[string]bool{}}
	for _, piece := range secrets(key) {
		for i := range len(piece) - 1 {
			f.pairs[piece[i]][piece[i+1]] = true
		}
		f.pieces[piece] = true
	}
	return f
}

// find returns a part of the key in a text, with the text around it, or "" where there is none.
func (f leakFinder) find(text string) (piece, around string) {
	// A piece has pieceLength-1 pairs, so one of them is at a multiple of that.
	for pair := 0; pair+1 < len(text); pair += pieceLength - 1 {
		if !f.pairs[text[pair]][text[pair+1]] {
			continue
		}
		for i := max(0, pair-pieceLength+2); i <= min(pair, len(text)-pieceLength); i++ {
			if f.pieces[text[i:i+pieceLength]] {
				return text[i : i+pieceLength], text[max(0, i-100):min(len(text), i+100)]
			}
		}
	}
	scheme := "Basic " + APIKey[:1]
	if i := strings.Index(text, scheme); i >= 0 {
		return scheme, text[max(0, i-100):min(len(text), i+100)]
	}
	return "", ""
}

// KeepsKey fails the test for each text, by its name, that contains a part of the key.
func KeepsKey(t testing.TB, texts map[string]string) {
	t.Helper()
	for name, text := range texts {
		if piece, around := leaks.find(text); piece != "" {
			t.Errorf("%s holds %q of the key: …%s…", name, piece, around)
		}
	}
}

// FilesBelow returns the texts of all files below a directory, and of those inside plan files,
// which are zip archives.
func FilesBelow(t testing.TB, dir string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		texts[name] = string(content)
		archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			return nil //nolint:nilerr // This is no archive, so it is searched unchanged.
		}
		return fs.WalkDir(archive, ".", func(inner string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := fs.ReadFile(archive, inner)
			texts[name+"/"+inner] = string(content)
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// logsOfTests is where plugin-testing writes a log for each test.
var logsOfTests string

// traceTests makes plugin-testing write logs into a folder and keep its files, so KeepsKey can
// search them. The provider runs in this process and logs at TRACE. The CLI logs only errors,
// because it has no key. In a [Workspace] it logs at TRACE, too.
func traceTests(folder string) error {
	logsOfTests = folder
	return errors.Join(
		os.Mkdir(folder, 0o700),
		os.Setenv("TF_LOG", "TRACE"),
		os.Setenv("TF_LOG_PATH_MASK", filepath.Join(folder, "%s.log")),
		os.Setenv("TF_ACC_LOG", "ERROR"),
		os.Setenv("TF_ACC_PERSIST_WORKING_DIR", "1"),
	)
}

// RunCase runs a test case in parallel with other tests, and searches its logs, states and plans
// for the key.
func RunCase(t *testing.T, c resource.TestCase) {
	t.Helper()
	c.WorkingDir = t.TempDir()
	log := filepath.Join(logsOfTests, strings.ReplaceAll(t.Name(), "/", "__")+".log")
	t.Cleanup(func() {
		KeepsKey(t, FilesBelow(t, c.WorkingDir))
		text, err := os.ReadFile(log)
		if err != nil {
			if !t.Skipped() && os.Getenv(resource.EnvTfAcc) != "" {
				t.Error(err)
			}
			return
		}
		KeepsKey(t, map[string]string{"the log": string(text)})
		if err := os.Remove(log); err != nil {
			t.Error(err)
		}
	})
	usesData := func(s resource.TestStep) bool { return strings.Contains(s.Config, "terraform_data") }
	if slices.ContainsFunc(c.Steps, usesData) {
		c.TerraformVersionChecks = append(c.TerraformVersionChecks, tfversion.SkipBelow(tfversion.Version1_4_0))
	}
	resource.ParallelTest(t, c)
}

// keepsKey searches, at the end of the test, the output and the files of all commands of the CLI
// for the key.
func (c *Workspace) keepsKey(customers int) {
	logs := c.T.TempDir()
	level := "TRACE"
	if customers > fewCustomers {
		level = "WARN"
	}
	c.Setenv("TF_LOG", level)
	c.Setenv("TF_LOG_PATH", filepath.Join(logs, "terraform.log"))
	c.T.Cleanup(func() {
		for _, output := range c.printed {
			KeepsKey(c.T, map[string]string{"what the CLI printed": output.String()})
		}
		written := FilesBelow(c.T, c.Dir)
		for _, name := range c.WithKey {
			delete(written, name)
		}
		KeepsKey(c.T, written)
		KeepsKey(c.T, FilesBelow(c.T, logs))
	})
}
