package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	action = regexp.MustCompile(`\buses: (.+)`)
	pinned = regexp.MustCompile(`^[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	// allParts are those that .ci/run checks where none is named, partJobs those of the workflow's
	// jobs.
	allParts = regexp.MustCompile(`\|\| set -- (.+)`)
	partJobs = regexp.MustCompile(`\n +parts: \[(.+)\]`)
)

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Nobody would miss a part of the checks that no job runs.
func TestWorkflowRunsEveryPart(t *testing.T) {
	t.Parallel()
	all := allParts.FindStringSubmatch(read(t, ".ci/run"))
	jobs := partJobs.FindStringSubmatch(read(t, ".github/workflows/test.yml"))
	if all == nil || jobs == nil {
		t.Fatalf("no parts found: %v, %v", all, jobs)
	}
	want, got := strings.Fields(all[1]), strings.Fields(strings.ReplaceAll(jobs[1], ",", ""))
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the workflow runs %v, and .ci/run checks %v", got, want)
	}
}

// A tag can be moved to other code, a hash can't.
func TestWorkflowsPinActions(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../.github/workflows/*.yml")
	if err != nil || len(files) < 2 {
		t.Fatalf("%d workflows: %v", len(files), err)
	}
	for _, file := range files {
		for _, match := range action.FindAllStringSubmatch(read(t, filepath.Join(".github/workflows", filepath.Base(file))), -1) {
			if !pinned.MatchString(match[1]) {
				t.Errorf("%s: %s isn't pinned by its hash, with its version beside it", file, match[1])
			}
		}
	}
}
