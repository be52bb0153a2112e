package tui

import (
	"math"

	"github.com/caraml-dev/merlin-local/emulator/session"
)

// heat is a histogram over time: a line for each bucket, or for some together, the
// highest on top; the more was observed there, the darker.
type heat struct {
	label []float64   // each line's upper bound; NaN where it has the next line's
	lines [][]float64 // observations, by line and column; NaN where nothing is known
	most  float64
}

// heatOf puts what was observed in each column into at most so many lines. Lines at the
// ends in which nothing was observed are left out.
func heatOf(bounds []float64, observed [][]float64, height int) heat {
	n := len(bounds)
	in := func(grown []float64, b int) float64 {
		v := grown[session.FirstAt+b]
		if b > 0 {
			v -= grown[session.FirstAt+b-1]
		}
		return max(v, 0)
	}
	first, last := n, -1
	for _, grown := range observed {
		for b := 0; grown != nil && b < n; b++ {
			if in(grown, b) > 0 {
				first, last = min(first, b), max(last, b)
			}
		}
	}
	var h heat
	if last < 0 || height < 1 {
		return h
	}
	lines := min(last-first+1, height)
	h.label, h.lines = make([]float64, lines), make([][]float64, lines)
	for line := range lines { // from the highest bucket down
		row := make([]float64, len(observed))
		low := first + (last-first+1)*(lines-1-line)/lines
		high := first + (last-first+1)*(lines-line)/lines
		for i, grown := range observed {
			if grown == nil {
				row[i] = math.NaN()
				continue
			}
			for b := low; b < high; b++ {
				row[i] += in(grown, b)
			}
			h.most = max(h.most, row[i])
		}
		h.label[line], h.lines[line] = bounds[high-1], row
	}
	return h
}

// stretched has each line several times, but for its name, where there are so many lines.
func (h heat) stretched(lines int) heat {
	times := 0
	if n := len(h.lines); n > 0 {
		times = min(lines/n, 4)
	}
	if times < 2 {
		return h
	}
	tall := heat{most: h.most}
	for i, row := range h.lines {
		for k := range times {
			label := math.NaN()
			if k == times/2 {
				label = h.label[i]
			}
			tall.label, tall.lines = append(tall.label, label), append(tall.lines, row)
		}
	}
	return tall
}

// shades are a heat's cells, from nothing to the most.
func (t *theme) shades() []rune {
	if t.glyphs.ascii {
		return []rune(" .:+#")
	}
	return []rune(" ░▒▓█")
}

// shade is how dark a cell is: by the square root, so that little is seen beside much.
func (t *theme) shade(v, most float64) rune {
	shades := t.shades()
	if !(v > 0) || !(most > 0) {
		return shades[0]
	}
	step := int(math.Ceil(math.Sqrt(v/most) * float64(len(shades)-1)))
	return shades[min(max(step, 1), len(shades)-1)]
}

// heatLines draws a heat, each line with its bucket's bound.
func (s *scene) heatLines(h heat, u unit) []string {
	edge := "│"
	if s.glyphs.ascii {
		edge = "|"
	}
	out := make([]string, len(h.lines))
	for i, row := range h.lines {
		cells := make([]rune, len(row))
		for x, v := range row {
			cells[x] = s.shade(v, h.most)
		}
		out[i] = s.faint.Render(alignRight(s.bound(h.label[i], u), axisCells)+edge) + s.accent.Render(string(cells))
	}
	return out
}

// bound is a bucket's upper one; empty where a line has none of its own.
func (s *scene) bound(v float64, u unit) string {
	switch {
	case math.IsNaN(v):
		return ""
	case math.IsInf(v, 1):
		return "+Inf"
	}
	if s.glyphs.ascii {
		return "<=" + s.text(v, u)
	}
	return "≤" + s.text(v, u)
}
