package tui

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
)

// The columns of the small view, in cells.
const (
	metricCells = 9
	nowCells    = 10
	maxCells    = 8
	minCells    = 8 // where there is room
)

// sparks show each number in a line, or in several where there are lines left: its name,
// what it is now, its highest in the window, and how it went.
func (p *metrics) sparks(s *scene, width, height int) []string {
	before := 1 + metricCells + 1 + nowCells + 1 + maxCells + 2
	least := width >= 76
	if least {
		before += minCells + 1
	}
	room := max(width-before-1, 8)
	list := slices.DeleteFunc(s.measured(p.window(), room), func(n portNumber) bool {
		return math.IsNaN(n.max) && n.limit == 0 && (n.name == "cpu" || n.name == "memory") // nobody can know it
	})
	pins := p.series.pinned(s)
	pins = pins[:max(min(len(pins), height-1-min(len(list), height-1)), 0)]
	head := " " + spaces(metricCells+1) + alignRight("now", nowCells) + " " + alignRight("max", maxCells)
	if least {
		head += " " + alignRight("min", minCells)
	}
	lines := []string{s.faint.Render(head + "  " + s.timeAxis(p.window(), room))}
	heights := tall(list, height-len(lines)-len(pins))
	for i := range list {
		lines = append(lines, s.sparkRow(&list[i], heights[i], room, least)...)
	}
	for _, r := range pins {
		lines = append(lines, s.pinRow(r, before, room, p.window()))
	}
	return lines
}

// tall says how many lines each number has: one, and more where there are, by priority.
func tall(list []portNumber, lines int) []int {
	heights := make([]int, len(list))
	for i := range heights {
		heights[i] = 1
	}
	left := lines - len(list)
	for round := 0; left > 0 && len(list) > 0 && round < 8; round++ {
		order := make([]int, len(list))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int { return list[a].prior - list[b].prior })
		for _, i := range order {
			if left > 0 {
				heights[i]++
				left--
			}
		}
	}
	return heights
}

func (s *scene) sparkRow(n *portNumber, height, room int, least bool) []string {
	style, now := s.numberStyle(n)
	text := " " + s.fit(n.name, metricCells) + " " + now.Render(alignRight(n.current(s), nowCells)) + " " + alignRight(n.shown(n.max), maxCells)
	blank := 1 + metricCells + 1 + nowCells + 1 + maxCells
	if least {
		text += " " + s.faint.Render(alignRight(n.shown(n.min), minCells))
		blank += 1 + minCells
	}
	rows := s.spark(n.columns, height, n.axis())
	for i := range rows {
		lead := text
		switch {
		case i == 1 && n.full() != "":
			lead = " " + spaces(metricCells+1) + s.faint.Render(alignRight(n.full(), nowCells)) + spaces(1+maxCells)
			lead += spaces(blank - ansi.StringWidth(lead))
		case i == 1 && !least && n.name != "replicas" && !math.IsNaN(n.min):
			lead = s.faint.Render(alignRight("min "+n.shown(n.min), blank))
		case i > 0:
			lead = spaces(blank)
		}
		rows[i] = lead + "  " + style.Render(rows[i])
	}
	return rows
}

// numberStyle is how a number's curve looks, and its value.
func (s *scene) numberStyle(n *portNumber) (curve, now lipgloss.Style) {
	curve, now = s.accent, s.bold
	switch {
	case n.bad:
		curve = s.bad
		if n.now > 0 {
			now = s.badBad
		}
	case n.limit > 0 && n.now > 0.9*n.limit:
		curve, now = s.warn, s.warnBold
	case n.limit > 0:
		curve = s.good
	case n.unit == inSeconds:
		curve = s.sources[1]
	}
	return curve, now
}

func alignRight(text string, width int) string { return spaces(width-ansi.StringWidth(text)) + text }

// timeAxis names the window's begin, its middle and its end.
func (s *scene) timeAxis(window time.Duration, width int) string {
	begin, end := "-"+minutesText(window), "now"
	middle := "-" + minutesText(window/2)
	gap := width - len(begin) - len(end)
	if gap < len(middle)+8 {
		return begin + spaces(gap) + end
	}
	at := max(width/2-len(middle)/2, len(begin)+1)
	return begin + spaces(at-len(begin)) + middle + spaces(width-at-len(middle)-len(end)) + end
}

// chart is one number, or several, over time.
type chart struct {
	title    string
	now      string // in its style
	axis     scale
	text     func(v float64) string
	layers   []layer
	min, max float64
}

// axisCells are those of a chart's values at the left.
const axisCells = 7

// charts are all numbers over time, as a grid that fills the room.
func (p *metrics) charts(s *scene, width, height int) []string {
	columns, wide := 2, false
	switch {
	case width >= 240:
		columns = 4
	case width >= 132:
		columns, wide = 3, true // the latencies take two places, so that nothing stays empty
	}
	list := p.chartList(s, width, columns, wide)
	places := 0
	for i := range list {
		places += list[i].places
	}
	rows := (places + columns - 1) / columns
	axes := height/rows >= 7 // else one below all
	if !axes {
		height--
	}
	var lines []string
	for row := range rows {
		h := share(height, rows, row)
		var blocks [][]string
		for column := 0; column < columns && len(list) > 0; list = list[1:] {
			c := &list[0]
			w := width*(column+c.places)/columns - width*column/columns
			blocks = append(blocks, s.block(s.chart(&c.chart, w, h, axes, p.window()), w, h))
			column += c.places
		}
		lines = append(lines, beside(blocks...)...)
	}
	if !axes {
		var axis strings.Builder
		for column := range columns {
			w := share(width, columns, column)
			axis.WriteString(s.fit(spaces(axisCells+1)+s.timeAxis(p.window(), w-axisCells-2), w))
		}
		lines = append(lines, s.faint.Render(axis.String()))
	}
	return lines
}

// placed is a chart, and how many places of the grid it takes.
type placed struct {
	chart
	places int
}

// chartList are the charts in their order: the three latencies are one.
func (p *metrics) chartList(s *scene, width, columns int, wide bool) []placed {
	narrow := s.measured(p.window(), s.dots(max(width/columns-axisCells-2, 1)))
	latencies := narrow
	double := 1
	if wide {
		latencies = s.measured(p.window(), s.dots(max(2*width/columns-axisCells-2, 1)))
		double = 2
	}
	var list []placed
	for i := range narrow {
		n := &narrow[i]
		switch n.name {
		case "p50":
			list = append(list, placed{s.latencyChart(latencies[i:i+3], double*width/columns), double})
		case "p95", "p99":
		default:
			style, _ := s.numberStyle(n)
			now := s.bold.Render(n.current(s))
			if full := n.full(); full != "" {
				now += " " + full
			}
			list = append(list, placed{chart{
				title: n.name, now: now, axis: n.axis(), text: n.text, min: n.min, max: n.max,
				layers: []layer{{n.columns, strokeArea, style}},
			}, 1})
		}
	}
	return list
}

// narrowLegend is below which width three percentiles need every cell.
const narrowLegend = 56

func (s *scene) latencyChart(percentiles []portNumber, width int) chart {
	c := chart{title: "latency", text: percentiles[0].text, min: percentiles[0].min, max: percentiles[2].max}
	c.axis = scaleOf(0, c.max, inSeconds, false)
	styles := []lipgloss.Style{s.sources[1], s.accent, s.warn}
	var legend []string
	for i := range percentiles {
		n := &percentiles[i]
		c.layers = append(c.layers, layer{n.columns, pen(i), styles[i]})
		mark := s.sign(pen(i))
		if width >= narrowLegend {
			mark += " "
		}
		legend = append(legend, styles[i].Render(mark+n.name)+" "+s.bold.Render(n.shown(n.now)))
	}
	c.now = strings.Join(legend, "  ")
	if width < narrowLegend { // the percentiles' names say enough
		c.title, c.now = "", strings.Join(legend, " ")
	}
	return c
}

// chart draws one: a line with its name and its numbers, then the curve with the axis'
// values at its left, and the time below where it is asked for.
func (s *scene) chart(c *chart, width, height int, axis bool, window time.Duration) []string {
	known := func(v float64) string {
		if math.IsNaN(v) {
			return "-"
		}
		return c.text(v)
	}
	head := " " + c.now
	if c.title != "" {
		head = " " + s.bold.Render(c.title) + "  " + c.now
	}
	ends := "min " + known(c.min) + "  max " + known(c.max) + " "
	if room := width - ansi.StringWidth(head) - 2; ansi.StringWidth(ends) > room {
		if ends = "max " + known(c.max) + " "; ansi.StringWidth(ends) > room {
			ends = ""
		}
	}
	lines := []string{s.ends(head, s.faint.Render(ends), width)}
	body := height - 1
	if axis {
		body--
	}
	if body < 1 {
		return lines
	}
	room := max(width-axisCells-2, 1)
	edge := "│"
	if s.glyphs.ascii {
		edge = "|"
	}
	for y, row := range s.plot(c.layers, room, body, c.axis) {
		label := ""
		switch {
		case math.IsNaN(c.max): // nothing is known
		case y == 0:
			label = known(c.axis.high)
		case y == body-1:
			label = known(c.axis.low)
		case body >= 5 && body%2 == 1 && y == body/2:
			label = known((c.axis.low + c.axis.high) / 2)
		}
		lines = append(lines, s.faint.Render(alignRight(label, axisCells)+edge)+row)
	}
	if axis {
		lines = append(lines, s.faint.Render(spaces(axisCells+1)+s.timeAxis(window, room)))
	}
	return lines
}
