package main

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"unicode/utf8"
)

// refreshing matches the line that the CLI prints for each resource that it reads. The order of
// these lines is random, so the picture leaves them out.
var refreshing = regexp.MustCompile(`(?m)^.*: Refreshing state\.\.\..*\n`)

// colors are the colors of the CLI, by their ANSI codes. They are readable on the dark background.
var colors = map[string]string{"31": "#d74e6f", "32": "#5fd787", "33": "#d3e561", "36": "#04d7d7", "90": "#8a8a8a"}

// draw returns the output of a terminal, with its colors, as an SVG.
func draw(text string) string {
	text = strings.TrimSpace(refreshing.ReplaceAllString(text, ""))
	var svg strings.Builder
	color, columns, y := "", 0, 16
	for line := range strings.Lines(text) {
		y += 17
		columns = max(columns, utf8.RuneCountInString(escape.ReplaceAllString(line, ""))-1)
		fmt.Fprintf(&svg, `<text x="16" y="%d" xml:space="preserve">`, y)
		ends := escape.FindAllStringSubmatchIndex(line, -1)
		start := 0
		for _, end := range append(ends, []int{len(line), len(line), len(line), len(line)}) {
			if part := strings.TrimRight(line[start:end[0]], "\n"); part != "" {
				fmt.Fprintf(&svg, `<tspan%s>%s</tspan>`, color, html.EscapeString(part))
			}
			start = end[1]
			switch code := line[end[2]:end[3]]; {
			case code == "" || code == "0":
				color = ""
			case colors[code] != "":
				color = fmt.Sprintf(" fill=%q", colors[code])
			}
		}
		svg.WriteString("</text>\n")
	}
	width, height := 32+columns*17/2, y+16
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d">
<rect width="100%%" height="100%%" rx="8" fill="#171717"/>
<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14" fill="#c4c4c4">
%s</g>
</svg>
`, width, height, svg.String())
}
