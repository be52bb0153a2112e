package tui

import (
	"math"
	"strings"
	"testing"

	"github.com/muesli/termenv"

	"github.com/caraml-dev/merlin-local/emulator/session"
)

func TestASparkTellsZeroFromNothingAndFromLittle(t *testing.T) {
	none := math.NaN()
	values := []float64{none, 0, 0.01, 2, 4, 8, 9, math.Inf(1)}
	for _, c := range []struct {
		name   string
		theme  *theme
		height int
		want   string
	}{
		{"one line", newTheme(termenv.Ascii, false), 1, " ▁▂▂▄▇▇▇"},
		{"two lines", newTheme(termenv.Ascii, false), 2, "     ▇▇▇\n ▁▂▄████"},
		{"one line in letters", newThemeASCII(), 1, " _..=@@@"},
		{"two lines in letters", newThemeASCII(), 2, "     ###\n .::####"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := strings.Join(c.theme.spark(values, c.height, scale{0, 8}), "\n"); got != c.want {
				t.Errorf("it is\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestAChartDrawsDotsWhereValuesAre(t *testing.T) {
	theme := newTheme(termenv.Ascii, false)
	none := math.NaN()
	for _, c := range []struct {
		name   string
		layers []layer
		want   string
	}{
		// Eight dots high: 7 is the highest, zero the lowest, a little is one above it.
		{"an area", []layer{{[]float64{none, 0, 0.1, 7}, strokeArea, theme.plain}}, " ⢸\n⢀⣼"}, // the last but one is two dots high
		{"a line", []layer{{[]float64{0, 7, 7, 0}, strokeLine, theme.plain}}, "⢸⡇\n⡇⢸"},
		{"two layers", []layer{{[]float64{0, 0, 0, 0}, strokeArea, theme.plain}, {[]float64{7, 7, 7, 7}, strokeLine, theme.plain}}, "⠉⠉\n⣀⣀"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := strings.Join(theme.plot(c.layers, 2, 2, scale{0, 7}), "\n"); got != c.want {
				t.Errorf("it is\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestAHeatHasALineForEachBucketThatWasHit(t *testing.T) {
	inf := math.Inf(1)
	bounds := []float64{1, 2, 3, 4, inf}
	// Count, sum, and the buckets with those below them: 4 up to 2, 1 up to 4; then 9 up
	// to 3; then nothing is known.
	observed := [][]float64{{5, 0, 0, 4, 4, 5, 5}, {9, 0, 0, 0, 9, 9, 9}, nil}
	s := &scene{theme: newTheme(termenv.Ascii, false)}
	for _, c := range []struct {
		height int
		want   string
	}{
		// Of four shades up to 9, 4 has the third (the root of 4/9 is 2/3), 1 the second (the
		// root of 1/9 is 1/3), 9 the last.
		{5, "     ≤4│▒  \n     ≤3│ █ \n     ≤2│▓  "},
		{3, "     ≤4│▒  \n     ≤3│ █ \n     ≤2│▓  "},
		{2, "     ≤4│▒█ \n     ≤2│▓  "},
		{1, "     ≤4│▓█ "},
		{0, ""},
	} {
		h := heatOf(bounds, observed, c.height)
		if got := strings.Join(s.heatLines(h, noUnit), "\n"); got != c.want {
			t.Errorf("in %d lines it is\n%s\nwant\n%s", c.height, got, c.want)
		}
	}
	if h := heatOf(bounds, [][]float64{nil, make([]float64, session.FirstAt+5)}, 5); len(h.lines) != 0 {
		t.Errorf("without observations there are %d lines", len(h.lines))
	}
}
