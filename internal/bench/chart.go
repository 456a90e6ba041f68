package main

import (
	"fmt"
	"math"
	"strings"
)

// The edges of the plot in the chart, in pixels.
const plotLeft, plotTop, plotRight, plotBottom = 92, 116, 676, 396

// chartStyle has colors that are readable on white and on black, and others for browsers that
// prefer a dark color scheme.
const chartStyle = `
text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #6e7781 }
line { stroke: #80808050 }
polyline { fill: none; stroke: currentColor; stroke-width: 2.5 }
circle, g text { fill: currentColor }
.naive { color: #cf4f4f }
.single { color: #8a63d2 }
.set { color: #2f8f5b }
@media (prefers-color-scheme: dark) {
  text { fill: #9aa4ae }
  .naive { color: #f07f7f }
  .single { color: #b497f0 }
  .set { color: #56c98a }
}
`

// chart draws the calls of plans without changes by the number of latches, both axes logarithmic.
// It needs no fonts or files beside it.
func chart(rows []row) string {
	points := map[string][][2]int{} // by configuration, pairs of latches and calls
	maxLatches := 10
	for _, r := range rows {
		if r.operation != plan {
			continue
		}
		points[r.what] = append(points[r.what], [2]int{r.latches, r.reads})
		if r.what == oneSet {
			points["each"] = append(points["each"], [2]int{r.latches, r.latches})
			maxLatches = max(maxLatches, r.latches)
		}
	}
	decades := math.Ceil(math.Log10(float64(maxLatches)))
	x := func(latches int) float64 {
		return plotLeft + (plotRight-plotLeft)*(math.Log10(float64(latches))-1)/max(decades-1, 1)
	}
	y := func(calls int) float64 {
		return plotBottom - (plotBottom-plotTop)*math.Log10(float64(max(calls, 1)))/decades
	}

	var svg strings.Builder
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 462" role="img" `+
		`aria-label="API calls of a plan by number of latches">`+"\n<style>%s</style>\n"+
		`<text font-weight="600" x="16" y="26">API calls of a plan without changes, by number of latches</text>`+"\n",
		chartStyle)
	for n, decade := 1, 0; decade <= int(decades); n, decade = n*10, decade+1 {
		fmt.Fprintf(&svg, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f"/>`, plotLeft, y(n), plotRight, y(n))
		fmt.Fprintf(&svg, `<text text-anchor="end" x="%d" y="%.1f">%s</text>`+"\n", plotLeft-20, y(n)+4, grouped(n))
		if n >= 10 {
			fmt.Fprintf(&svg, `<text text-anchor="middle" x="%.1f" y="%d">%s</text>`+"\n",
				x(n), plotBottom+36, grouped(n))
		}
	}
	fmt.Fprintf(&svg, `<text text-anchor="middle" x="%d" y="%d">latches</text>`+"\n",
		(plotLeft+plotRight)/2, plotBottom+56)
	for i, line := range []struct {
		class, what, legend string
		labelOffset         float64 // of the number below its point, in pixels
	}{
		{"naive", "each", "one call for each latch", -10},
		{"single", singles, "this provider, single latches", -10},
		{"set", oneSet, "this provider, one latch set", 20},
	} {
		fmt.Fprintf(&svg, `<g class=%q><circle cx="24" cy="%d" r="5"/><text x="36" y="%d">%s</text>`+"\n",
			line.class, 48+18*i, 52+18*i, line.legend)
		var corners []string
		for _, p := range points[line.what] {
			corners = append(corners, fmt.Sprintf("%.1f,%.1f", x(p[0]), y(p[1])))
			fmt.Fprintf(&svg, `<circle cx="%.1f" cy="%.1f" r="4"/>`, x(p[0]), y(p[1]))
			fmt.Fprintf(&svg, `<text text-anchor="middle" x="%.1f" y="%.1f">%s</text>`+"\n",
				x(p[0]), y(p[1])+line.labelOffset, grouped(p[1]))
		}
		fmt.Fprintf(&svg, `<polyline points="%s"/></g>`+"\n", strings.Join(corners, " "))
	}
	return svg.String() + "</svg>\n"
}
