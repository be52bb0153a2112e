package tui

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// detail is the chosen series: its whole name, what it means, and how it went.
func (o *ownMetrics) detail(s *scene, width, height int, window time.Duration) []string {
	if len(o.list) == 0 || height < 2 {
		return nil
	}
	r := o.list[o.chosen()]
	texts := 1
	if height >= 9 {
		texts = 3
	}
	var lines []string
	add := func(text string, style func(...string) string) {
		all := wrap(text, width-2, 2)
		if len(all) > texts {
			all = all[:texts]
			all[texts-1] = ansi.Truncate(all[texts-1]+s.glyphs.ellipsis, width-2, s.glyphs.ellipsis)
		}
		for _, l := range all {
			lines = append(lines, " "+style(l))
		}
	}
	add(r.name, s.bold.Render)
	if help := prose.Clean(short(r.family.Help)); help != "" {
		add(help, s.plain.Render)
	}
	if len(r.of) > 1 {
		add(fmt.Sprintf("the sum of %d pods", len(r.of)), s.faint.Render)
	}
	return append(lines, o.past(s, r, width, height-len(lines), window)...)
}

// past draws how a series went.
func (o *ownMetrics) past(s *scene, r *series, width, height int, window time.Duration) []string {
	room := max(width-axisCells-2, 1)
	text := func(v float64) string { return s.text(v, r.unit) }
	c := chart{title: string(r.family.Type), text: text}
	axis := height >= 5
	switch r.family.Type {
	case event.Histogram:
		return o.distribution(s, r, width, height, window)
	case event.Summary:
		o.quantiles(s, r, &c, room, window)
	default:
		if r.unit == asInstant {
			return o.instant(s, r, width)
		}
		curve := r.curve(periodOf(s.now, window, s.dots(room)))
		c.layers = []layer{{curve.columns, strokeArea, s.accent}}
		c.min, c.max = curve.min, curve.max
		c.now = s.bold.Render(r.value(s))
		if r.family.Type == event.Counter {
			c.now += "  " + s.text(r.total(), r.totalUnit()) + " in all"
		}
	}
	c.axis = scaleOf(c.min, c.max, r.unit, r.family.Type == event.Gauge || r.family.Type == event.Untyped)
	return s.chart(&c, width, height, axis, window)
}

// instant is a value that is a time: it needs no curve.
func (o *ownMetrics) instant(s *scene, r *series, width int) []string {
	v := r.total()
	if !isInstant(v) {
		return []string{" " + s.text(v, r.unit)}
	}
	at := time.Unix(int64(v), 0).Local()
	return []string{s.fit(" "+string(r.family.Type)+"  "+s.bold.Render(at.Format(time.DateTime))+"  "+ago(s.now.Sub(at))+" ago", width)}
}

// quantiles put a summary's, as the model reckons them, into a chart.
func (o *ownMetrics) quantiles(s *scene, r *series, c *chart, room int, window time.Duration) {
	c.min, c.max = math.NaN(), math.NaN()
	var legend []string
	for i, q := range r.of[0].Quantiles {
		curve := r.valuesAt(periodOf(s.now, window, s.dots(room)), session.FirstAt+i)
		name := quantileName(float64(q.Share))
		if i < 3 {
			style := s.sources[(i+1)%len(s.sources)]
			c.layers = append(c.layers, layer{curve.columns, pen(i), style})
			name = style.Render(s.sign(pen(i)) + " " + name)
			if !(c.max >= curve.max) {
				c.max = curve.max
			}
			if !(c.min <= curve.min) {
				c.min = curve.min
			}
		}
		legend = append(legend, name+" "+s.bold.Render(s.text(float64(q.Value), r.unit)))
	}
	c.now = strings.Join(append(legend, numberText(float64(r.of[0].Count))+" in all"), "  ")
}

// distribution draws a histogram: its percentiles, and its buckets as a heat.
func (o *ownMetrics) distribution(s *scene, r *series, width, height int, window time.Duration) []string {
	room := max(width-axisCells-2, 1)
	styles := []func(...string) string{s.sources[1].Render, s.accent.Render, s.warn.Render}
	values, perSecond, lately := r.percentiles(s.now)
	var legend []string
	for i := range shownShares {
		legend = append(legend, styles[i](s.sign(pen(i))+" "+shownShares[i].name)+" "+s.bold.Render(s.text(values[i], r.unit)))
	}
	of := "of the last minute"
	if !lately {
		of = "of all, none in the last minute"
	}
	_, counts := r.buckets()
	all := 0.0
	if n := len(counts); n > 0 {
		all = counts[n-1]
	}
	facts := fmt.Sprintf("%s  %s  %s in all", of, s.text(perSecond, eachSecond), numberText(all))
	lines := []string{" " + strings.Join(legend, "  ")}
	if ansi.StringWidth(lines[0])+2+len(facts) <= width || height < 5 {
		lines[0] = s.fit(lines[0]+"  "+s.faint.Render(facts), width)
	} else {
		lines = append(lines, s.fit(" "+s.faint.Render(facts), width))
	}
	rest := height - len(lines)
	axis := rest >= 4
	if axis {
		rest--
	}
	heat := heatOf(r.bounds(), r.observed(periodOf(s.now, window, room)), heatHeight(rest)).stretched(rest - mostPlot)
	if plot := rest - len(heat.lines); plot >= 3 {
		curves := r.quantiles(periodOf(s.now, window, s.dots(room)))
		c := chart{title: "percentiles", text: func(v float64) string { return s.text(v, r.unit) }, min: curves[0].min, max: curves[2].max}
		c.axis = scaleOf(0, c.max, r.unit, false)
		for i, style := range []int{1, 0, 4} {
			c.layers = append(c.layers, layer{curves[i].columns, pen(i), s.sources[style]})
		}
		lines = append(lines, s.chart(&c, width, plot, false, window)...)
	}
	lines = append(lines, s.heatLines(heat, r.unit)...)
	if axis {
		lines = append(lines, s.faint.Render(spaces(axisCells+1)+s.timeAxis(window, room)))
	}
	return lines
}

// mostPlot is how many lines a curve gets before a heat's lines become thicker.
const mostPlot = 16

// heatHeight is how many lines a heat gets of those that there are.
func heatHeight(lines int) int {
	if lines < 8 {
		return lines
	}
	return lines / 2
}

// axis is one for the row's curve: what only grows or lasts begins at zero.
func (r *series) axis(c *curve) scale {
	close := r.family.Type == event.Gauge || r.family.Type == event.Untyped
	return scaleOf(c.min, c.max, r.unit, close)
}
