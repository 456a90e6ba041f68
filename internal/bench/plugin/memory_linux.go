package main

import (
	"errors"
	"os"
	"strconv"
	"strings"
)

// peakMemory is the most memory that this process has had in use, in bytes. It isn't getrusage's, which on Linux counts
// in the program that the process was before exec: the CLI, which is larger.
func peakMemory() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmHWM:" && fields[2] == "kB" {
			kib, err := strconv.ParseInt(fields[1], 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("no VmHWM in /proc/self/status")
}
