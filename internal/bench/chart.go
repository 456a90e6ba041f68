package main

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// series is one line of the chart: the calls of a plan, by the number of latches.
type series struct {
	name   string
	class  string // of its style
	above  bool   // where its numbers stand
	points []point
}

type point struct{ latches, calls int }

// writeChart draws how many calls a plan makes, with both axes logarithmic.
func writeChart(path string, rows []row) error {
	lines := chartSeries(rows)
	if lines == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(chart(lines)), 0o644)
}

// chartSeries takes the lines out of the plans without a change. Without sharing a plan makes a call for each latch: that
// line needs no measurement, and the tables show that it's true.
func chartSeries(rows []row) []series {
	all := series{name: "one call for each latch", class: "naive", above: true}
	large := series{name: "this provider, a tenth of the account's customers latched", class: "large", above: true}
	whole := series{name: "this provider, all customers latched", class: "whole"}
	for _, r := range rows {
		if r.operation != unchanged || r.data.wall == 0 {
			continue
		}
		p := point{r.latches, r.ours.all()}
		if r.customers > r.latches {
			large.points = append(large.points, p)
			continue
		}
		whole.points = append(whole.points, p)
		all.points = append(all.points, point{r.latches, r.latches})
	}
	if len(whole.points) == 0 {
		return nil
	}
	lines := []series{all, large, whole}
	for _, s := range lines {
		slices.SortFunc(s.points, func(a, b point) int { return cmp.Compare(a.latches, b.latches) })
	}
	return lines
}

// Where the chart's parts are.
const (
	chartWidth, chartHeight = 720, 448
	plotLeft, plotTop       = 64, 116
	plotRight, plotBottom   = 704, 396
	plotMargin              = 28 // between the sides and the first and last point, for their numbers
)

// chartStyle has colours that can be read on white and on black, and others for readers who said which they have. A line,
// with its numbers and its legend, is a group that sets the colour.
const chartStyle = `
text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #6e7781 }
.title { font-size: 15px; font-weight: 600 }
line { stroke: #80808050 }
polyline { fill: none; stroke: currentColor; stroke-width: 2.5 }
circle, g text { fill: currentColor }
.naive { color: #cf4f4f }
.large { color: #8a63d2 }
.whole { color: #2f8f5b }
@media (prefers-color-scheme: dark) {
  text { fill: #9aa4ae }
  .naive { color: #f07f7f }
  .large { color: #b497f0 }
  .whole { color: #56c98a }
}
`

// scale turns numbers into places: one decade of latches, or of calls, takes the same room everywhere.
type scale struct{ decadesX, decadesY float64 }

func (s scale) x(latches int) float64 {
	return plotLeft + plotMargin + (plotRight-plotLeft-2*plotMargin)*(math.Log10(float64(max(latches, 10)))-1)/s.decadesX
}

func (s scale) y(calls int) float64 {
	return plotBottom - (plotBottom-plotTop)*math.Log10(float64(max(calls, 1)))/s.decadesY
}

// chart draws the lines, with the number at each point. It needs no fonts or files beside it.
func chart(lines []series) string {
	most := 10
	for _, s := range lines {
		for _, p := range s.points {
			most = max(most, p.latches, p.calls)
		}
	}
	decades := math.Ceil(math.Log10(float64(most)))
	s := scale{decadesX: max(decades-1, 1), decadesY: decades}

	var svg strings.Builder
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="API calls of a plan by number of latches">`,
		chartWidth, chartHeight)
	fmt.Fprintf(&svg, "\n<style>%s</style>\n", chartStyle)
	svg.WriteString(`<text class="title" x="16" y="26">API calls of a plan without changes, by number of latches</text>` + "\n")
	drawGrid(&svg, s, int(decades))
	for i, line := range lines {
		fmt.Fprintf(&svg, "<g class=%q>\n", line.class)
		drawLegend(&svg, i, line.name)
		drawLine(&svg, s, line)
		svg.WriteString("</g>\n")
	}
	svg.WriteString("</svg>\n")
	return svg.String()
}

func drawGrid(svg *strings.Builder, s scale, decades int) {
	for n, decade := 1, 0; decade <= decades; n, decade = n*10, decade+1 {
		fmt.Fprintf(svg, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f"/>`, plotLeft, s.y(n), plotRight, s.y(n))
		fmt.Fprintf(svg, `<text text-anchor="end" x="%d" y="%.1f">%s</text>`, plotLeft-8, s.y(n)+4, grouped(n))
		if n >= 10 {
			fmt.Fprintf(svg, `<text text-anchor="middle" x="%.1f" y="%d">%s</text>`, s.x(n), plotBottom+22, grouped(n))
		}
		svg.WriteString("\n")
	}
	fmt.Fprintf(svg, `<text text-anchor="middle" x="%d" y="%d">latches</text>`+"\n", (plotLeft+plotRight)/2, plotBottom+42)
}

func drawLegend(svg *strings.Builder, i int, name string) {
	y := 48 + 18*i
	fmt.Fprintf(svg, `<circle cx="24" cy="%d" r="5"/><text x="36" y="%d">%s</text>`+"\n", y, y+4, name)
}

func drawLine(svg *strings.Builder, s scale, line series) {
	var places []string
	for _, p := range line.points {
		places = append(places, fmt.Sprintf("%.1f,%.1f", s.x(p.latches), s.y(p.calls)))
	}
	fmt.Fprintf(svg, `<polyline points="%s"/>`+"\n", strings.Join(places, " "))
	for _, p := range line.points {
		x, y := s.x(p.latches), s.y(p.calls)
		label := y + 20
		if line.above {
			label = y - 10
		}
		fmt.Fprintf(svg, `<circle cx="%.1f" cy="%.1f" r="4"/><text text-anchor="middle" x="%.1f" y="%.1f">%s</text>`+"\n",
			x, y, x, label, grouped(p.calls))
	}
}
