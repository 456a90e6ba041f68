package main

import (
	"regexp"
	"strings"
)

const (
	darkGrey  = "\x1b[90m"
	lightGrey = "\x1b[38;5;245m"
)

// refreshing is what the CLI says of each resource that it reads, in an order that chance decides.
var refreshing = regexp.MustCompile(`(?m)^.*: Refreshing state\.\.\..*\n`)

// ofPicture is what the picture shows of the CLI's output: what is the same in every run, without the grey that can't be
// read on the picture's ground.
func ofPicture(output string) string {
	output = refreshing.ReplaceAllString(output, "")
	return strings.TrimRight(strings.ReplaceAll(output, darkGrey, lightGrey), "\n")
}
