//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// groupProcesses gives a command a process group of its own, and makes it end by an interrupt.
func groupProcesses(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
}

// killGroup ends what a command has started and left behind.
func killGroup(cmd *exec.Cmd) {
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // An error says that there is none.
	}
}
