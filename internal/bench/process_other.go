//go:build !unix

package main

import "os/exec"

// groupProcesses does nothing: the terminal's interrupt reaches the command itself, which is killed if it doesn't end.
func groupProcesses(cmd *exec.Cmd) {
	cmd.Cancel = func() error { return nil }
}

func killGroup(*exec.Cmd) {}
