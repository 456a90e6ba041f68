package acctest

import (
	"slices"
	"testing"
)

func TestVersionText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"Terraform v1.0.0\non linux_amd64\n\nYour version is out of date!": {"Terraform", "1.0.0", "linux", "amd64"},
		"Terraform v1.15.0-alpha1\r\non windows_386\r\n":                   {"Terraform", "1.15.0-alpha1", "windows", "386"},
		"OpenTofu v1.10.10\non darwin_arm64\n":                             {"OpenTofu", "1.10.10", "darwin", "arm64"},
		"Vagrant 2.4.1\n":                                                  nil,
	} {
		match := versionText.FindStringSubmatch(text)
		if match != nil {
			match = match[1:]
		}
		if !slices.Equal(match, want) {
			t.Errorf("%q: got %q, want %q", text, match, want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	got := Environment([]string{
		"PATH=/bin", "TF_LOG=TRACE", "tf_cli_args=-x", "FUSEBILL_API_KEY=secret", "HOME=/", "NOTF_=1",
	})
	want := []string{"TF_IN_AUTOMATION=1", "CHECKPOINT_DISABLE=1", "PATH=/bin", "HOME=/", "NOTF_=1"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
