package acceptance

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	usedAction   = regexp.MustCompile(`\buses: ([^.\n].*)`)
	pinnedByHash = regexp.MustCompile(`^[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	knownPart    = regexp.MustCompile(`(?m)^    ([a-z]+)\)`)
	partJobs     = regexp.MustCompile(`\n +parts: \[(.+)\]`)
)

// TestWorkflow_runsEveryPart compares the parts of .ci/run with the jobs of the workflow. Nobody
// would miss a part that no job runs.
func TestWorkflow_runsEveryPart(t *testing.T) {
	t.Parallel()
	var want []string
	for _, match := range knownPart.FindAllStringSubmatch(readFile(t, ".ci/run"), -1) {
		want = append(want, match[1])
	}
	jobs := partJobs.FindStringSubmatch(readFile(t, ".github/workflows/test.yml"))
	if len(want) < 5 || jobs == nil {
		t.Fatalf("no parts found: %v, %v", want, jobs)
	}
	got := strings.Fields(strings.ReplaceAll(jobs[1], ",", ""))
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the workflow runs %v, and .ci/run has %v", got, want)
	}
}

// TestWorkflow_pinsActions checks that each action is pinned by its hash: a tag can be moved to
// other code.
func TestWorkflow_pinsActions(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../.github/workflows/*.yml")
	if err != nil || len(files) < 2 {
		t.Fatalf("%d workflows: %v", len(files), err)
	}
	for _, file := range files {
		for _, match := range usedAction.FindAllStringSubmatch(readFile(t, ".github/workflows/"+filepath.Base(file)), -1) {
			if !pinnedByHash.MatchString(match[1]) {
				t.Errorf("%s: %s is not pinned by its hash, with its version beside it", file, match[1])
			}
		}
	}
}

// TestMake_helpListsEveryTarget checks that make help lists each target, and that there are at most
// 12 of them.
func TestMake_helpListsEveryTarget(t *testing.T) {
	t.Parallel()
	makefile := readFile(t, "GNUmakefile")
	targets := regexp.MustCompile(`(?m)^([\w./-]+):([^=].*)?$`).FindAllStringSubmatch(makefile, -1)
	count := 0
	for _, target := range targets {
		if target[1] == ".PHONY" {
			continue
		}
		count++
		if !strings.Contains(target[2], "## ") {
			t.Errorf("make help does not list %s", target[1])
		}
	}
	if count == 0 || count > 12 {
		t.Errorf("%d targets, want 12 at most", count)
	}
}

// readFile returns the text of a file of the repository.
func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
