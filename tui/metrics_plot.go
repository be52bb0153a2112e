package tui

import (
	"math"
	"strings"

	"github.com/NimbleMarkets/ntcharts/canvas"
	"github.com/NimbleMarkets/ntcharts/canvas/graph"
	"github.com/NimbleMarkets/ntcharts/canvas/runes"
	"github.com/charmbracelet/lipgloss"
)

// pen is how a layer of a chart is drawn: each differs without colours too.
type pen int

const (
	strokeArea pen = iota
	strokeLine
	strokeDots
)

// layer is one curve of a chart: a value for each dot across, NaN where there is none.
type layer struct {
	values []float64
	pen    pen
	style  lipgloss.Style
}

// dots is how many values lie side by side in so many cells of a chart.
func (t *theme) dots(width int) int {
	if t.glyphs.ascii {
		return width
	}
	return 2 * width
}

// sign is a layer's mark in a legend.
func (t *theme) sign(s pen) string {
	if t.glyphs.ascii {
		return string([]rune{'#', '*', '+'}[s])
	}
	return string([]rune{'▄', '─', '┈'}[s])
}

// scale is what an axis goes from and to.
type scale struct{ low, high float64 }

// plot draws layers onto so many cells, the later ones over the earlier.
func (t *theme) plot(layers []layer, width, height int, axis scale) []string {
	cells := newChartCells(width, height)
	for i := range layers {
		if t.glyphs.ascii {
			cells.letters(&layers[i], i+1, axis)
		} else {
			cells.braille(&layers[i], i+1, axis)
		}
	}
	return cells.lines(layers)
}

// chartCells are what a chart shows: a rune each, and of which layer it is, from 1.
type chartCells struct {
	width, height int
	runes         [][]rune
	of            [][]int
}

func newChartCells(width, height int) *chartCells {
	c := &chartCells{width: width, height: height, runes: make([][]rune, height), of: make([][]int, height)}
	for y := range height {
		c.runes[y], c.of[y] = make([]rune, width), make([]int, width)
	}
	return c
}

// rise is how many of the dots above the lowest a value reaches; what is above the axis'
// begin reaches one at least.
func (a scale) rise(v float64, dots int) int {
	if !(v > a.low) || dots <= 1 {
		return 0
	}
	return min(max(int(math.Round(a.part(v)*float64(dots-1))), 1), dots-1)
}

// part is where on the axis a value lies, from 0 to 1.
func (a scale) part(v float64) float64 { return min(max((v-a.low)/(a.high-a.low), 0), 1) }

func (c *chartCells) braille(l *layer, number int, axis scale) {
	high := 4 * c.height
	grid := graph.NewBrailleGrid(c.width, c.height, 0, float64(2*c.width-1), 0, float64(high-1))
	set := func(x, y int) { grid.Set(canvas.Point{X: x, Y: high - 1 - y}) }
	last := -1
	for x, v := range l.values {
		if math.IsNaN(v) {
			last = -1
			continue
		}
		y := axis.rise(v, high)
		switch {
		case l.pen == strokeArea:
			for below := range y + 1 {
				set(x, below)
			}
		case last < 0:
			set(x, y)
		default:
			for _, p := range graph.GetLinePoints(canvas.Point{X: x - 1, Y: last}, canvas.Point{X: x, Y: y}) {
				if l.pen == strokeLine || (p.X+p.Y)%2 == 0 {
					set(p.X, p.Y)
				}
			}
		}
		last = y
	}
	for y, row := range grid.BraillePatterns() {
		for x, r := range row {
			if r == runes.BrailleBlockOffset {
				continue
			}
			if c.of[y][x] > 0 {
				r = runes.CombineBraillePatterns(c.runes[y][x], r)
			}
			c.runes[y][x], c.of[y][x] = r, number
		}
	}
}

// letters draws with what every terminal has, three steps a cell.
func (c *chartCells) letters(l *layer, number int, axis scale) {
	const steps = 3
	for x, v := range l.values {
		if math.IsNaN(v) || x >= c.width {
			continue
		}
		level := axis.rise(v, c.height*steps)
		row := c.height - 1 - level/steps
		if l.pen != strokeArea {
			c.runes[row][x], c.of[row][x] = []rune{'#', '*', '+'}[l.pen], number
			continue
		}
		c.runes[row][x], c.of[row][x] = []rune{'.', ':', '#'}[level%steps], number
		for y := row + 1; y < c.height; y++ {
			c.runes[y][x], c.of[y][x] = '#', number
		}
	}
}

// lines are the cells as text, each run of one layer in its style.
func (c *chartCells) lines(layers []layer) []string {
	out := make([]string, c.height)
	for y := range c.height {
		var line strings.Builder
		for x := 0; x < c.width; {
			of, end := c.of[y][x], x
			for end < c.width && c.of[y][end] == of {
				end++
			}
			if of == 0 {
				line.WriteString(spaces(end - x))
			} else {
				line.WriteString(layers[of-1].style.Render(string(c.runes[y][x:end])))
			}
			x = end
		}
		out[y] = line.String()
	}
	return out
}

// spark is a curve as columns of blocks, one a cell, in so many lines: nothing where it is
// not known, the lowest block where the axis begins, and more wherever it is above.
func (t *theme) spark(values []float64, height int, axis scale) []string {
	levels := t.glyphs.sparks
	if height > 1 && t.glyphs.ascii {
		levels = []rune(".:#")
	}
	steps := len(levels)
	most := height * steps
	if !t.glyphs.ascii {
		most-- // so that it does not touch what is above it
	}
	out := make([]string, height)
	for y := range height {
		row := make([]rune, len(values))
		for x, v := range values {
			level := 0
			switch {
			case v > axis.low:
				level = min(max(int(math.Ceil(axis.part(v)*float64(most)-1e-9)), 2), most)
			case !math.IsNaN(v):
				level = 1
			}
			switch above := level - (height-1-y)*steps; {
			case above <= 0:
				row[x] = ' '
			default:
				row[x] = levels[min(above, steps)-1]
			}
		}
		out[y] = string(row)
	}
	return out
}
