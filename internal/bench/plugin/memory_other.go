//go:build !linux

package main

import "errors"

// peakMemory is measured on Linux only.
func peakMemory() (int64, error) { return 0, errors.ErrUnsupported }
