package acctest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Interrupt sends a Ctrl-C to the CLI. A terminal would send it to all of its processes, but the
// provider ignores it, and so does a CLI that runs another one.
func (c *Workspace) Interrupt(cmd *exec.Cmd) {
	pid := cmd.Process.Pid
	for _, child := range c.children(pid) { // A CLI before 1.2 runs itself in a child.
		if len(c.children(child)) > 0 {
			pid = child
		}
	}
	process, err := os.FindProcess(pid)
	if err == nil {
		err = process.Signal(os.Interrupt)
	}
	if err != nil {
		c.T.Error(err)
	}
}

// KillProvider kills the provider that a CLI has started.
func (c *Workspace) KillProvider(cmd *exec.Cmd) { c.killBelow(cmd.Process.Pid) }

// killBelow kills the descendants of a process that have started no process.
func (c *Workspace) killBelow(pid int) {
	for _, child := range c.children(pid) {
		if len(c.children(child)) > 0 {
			c.killBelow(child)
			continue
		}
		if process, err := os.FindProcess(child); err == nil {
			_ = process.Kill()
		}
	}
}

// children returns the processes that a process has started.
func (c *Workspace) children(pid int) (children []int) {
	// A child belongs to the thread that has started it, which may be any thread of the process.
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, thread := range threads {
		of, _ := os.ReadFile(thread) // A thread that has ended meanwhile has no children.
		for child := range strings.FieldsSeq(string(of)) {
			pid, err := strconv.Atoi(child)
			if err != nil {
				c.T.Error(err)
				continue
			}
			children = append(children, pid)
		}
	}
	return children
}
