package tui

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// ownMetrics are a model's own, as a list of series of which one is chosen.
type ownMetrics struct {
	words  string // what is looked for
	apart  bool   // each pod's series have a row of their own
	at     string // the chosen row, by its key; before words were looked for: before
	before string
	top    int // the first row that is shown
	pages  int // rows shown last, for moving by pages
	pins   []pinnedSeries

	of   listed
	all  []*series
	list []*series // the pinned, then what the words choose
	held int       // how many of the list are pinned
}

// pinnedSeries is a series of a model that stays on top.
type pinnedSeries struct{ model, series string }

// mostPins are the pins that are kept; the oldest goes.
const mostPins = 20

// listed is what the rows depend on; they are made anew where it is another.
type listed struct {
	model            string
	tracks           *session.Tracks // another one where a recording is at another place
	samples, sources int
	apart            bool
	words            string
	pins             [mostPins]pinnedSeries
}

// viewed is what the picture depends on besides the past.
type viewed struct {
	words, at string
	apart     bool
	top       int
	pins      [mostPins]pinnedSeries
}

func (o *ownMetrics) viewed(*scene) viewed {
	v := viewed{words: o.words, at: o.at, apart: o.apart, top: o.top}
	copy(v.pins[:], o.pins)
	return v
}

// gather brings the rows up to date.
func (o *ownMetrics) gather(s *scene) {
	of := listed{model: s.model.ID, tracks: s.state.History.Tracks, samples: s.state.History.Tracks.Samples, sources: len(s.model.Metrics), apart: o.apart, words: o.words}
	copy(of.pins[:], o.pins)
	if of == o.of {
		return
	}
	if before := o.of; before.model != of.model || before.tracks != of.tracks || before.samples != of.samples || before.sources != of.sources || before.apart != of.apart {
		o.all = seriesRows(s, o.apart)
	}
	o.of = of
	o.list = o.list[:0]
	for _, p := range o.pins {
		for _, r := range o.all {
			if p == (pinnedSeries{s.model.ID, r.series}) {
				o.list = append(o.list, r)
			}
		}
	}
	o.held = len(o.list)
	for _, r := range matchingSeries(o.all, strings.Fields(strings.ToLower(o.words))) {
		if !slices.Contains(o.pins, pinnedSeries{s.model.ID, r.series}) {
			o.list = append(o.list, r)
		}
	}
}

// count says how many series there are, and how many of them are found.
func (o *ownMetrics) count(s *scene) string {
	o.gather(s)
	text := fmt.Sprintf("%d series", len(o.all))
	if o.words != "" {
		text = fmt.Sprintf("%d of %s", len(o.list)-o.held, text)
	}
	if o.apart {
		text += " by pod"
	}
	return text
}

// chosen is the row under the cursor, by its place; where it is gone the first, of those
// that were found where words are looked for.
func (o *ownMetrics) chosen() int {
	for i, r := range o.list {
		if r.key == o.at {
			return i
		}
	}
	if o.words != "" {
		return max(min(o.held, len(o.list)-1), 0)
	}
	return 0
}

// look looks for words. The cursor goes to the first series that has them, and back where
// it was once there are none any more, unless it was moved meanwhile.
func (o *ownMetrics) look(words string) {
	switch {
	case o.words == "" && words != "":
		o.at, o.before = "", o.at
	case words == "" && o.at == "":
		o.at = o.before
	}
	o.words = words
}

func (o *ownMetrics) press(s *scene, msg tea.KeyMsg) bool {
	o.gather(s)
	step := 1
	if t := msg.Type; t == tea.KeyPgUp || t == tea.KeyPgDown {
		step = max(o.pages-1, 1)
	}
	switch {
	case key.Matches(msg, seriesUp):
		o.move(s, -step)
	case key.Matches(msg, seriesDown):
		o.move(s, step)
	case key.Matches(msg, seriesFirst):
		o.move(s, -len(o.list))
	case key.Matches(msg, seriesLast):
		o.move(s, len(o.list))
	case key.Matches(msg, seriesPods):
		o.apart = !o.apart
	case key.Matches(msg, seriesPin):
		o.pin(s)
	default:
		return false
	}
	return true
}

func (o *ownMetrics) move(s *scene, rows int) {
	o.gather(s)
	if len(o.list) == 0 {
		return
	}
	o.at = o.list[min(max(o.chosen()+rows, 0), len(o.list)-1)].key
}

// pin pins the chosen series, or takes its pin away.
func (o *ownMetrics) pin(s *scene) {
	if len(o.list) == 0 {
		return
	}
	row := o.list[o.chosen()]
	this := pinnedSeries{s.model.ID, row.series}
	o.at = row.key
	if i := slices.Index(o.pins, this); i >= 0 {
		o.pins = slices.Delete(o.pins, i, i+1)
		return
	}
	o.pins = append(o.pins, this)
	o.pins = o.pins[max(len(o.pins)-mostPins, 0):]
}

// pinned are the model's pinned rows.
func (o *ownMetrics) pinned(s *scene) []*series {
	if !slices.ContainsFunc(o.pins, func(p pinnedSeries) bool { return p.model == s.model.ID }) {
		return nil
	}
	o.gather(s)
	return o.list[:o.held]
}

// From so wide on the chosen series is beside the list; else below it where there is room.
const (
	besideWidth = 110
	belowHeight = 12
)

func (o *ownMetrics) draw(s *scene, width, height int, window time.Duration) []string {
	o.gather(s)
	lines := o.told(s, width, max(height/4, 1))
	if len(o.all) == 0 {
		return lines
	}
	rest := height - len(lines)
	switch {
	case width >= besideWidth && rest >= 8:
		left := width * 11 / 20
		list := s.block(o.table(s, left, rest, window), left, rest)
		side := s.block(o.detail(s, width-left, rest, window), width-left, rest)
		return append(lines, beside(list, side)...)
	case rest >= belowHeight:
		below := rest * 2 / 5
		if rest >= 24 {
			below = rest / 2
		}
		lines = append(lines, s.block(o.table(s, width, rest-below, window), width, rest-below)...)
		return append(lines, o.detail(s, width, below, window)...)
	}
	return append(lines, o.table(s, width, rest, window)...)
}

// told says where the metrics come from and since when they are the same, what went
// wrong, and what was left out.
func (o *ownMetrics) told(s *scene, width, most int) []string {
	if len(s.model.Metrics) == 0 {
		text := "the model has told no metrics yet: once a replica is ready, its /metrics is asked every few seconds, and what it pushes is taken"
		return faintLines(s, text, width)
	}
	var lines []string
	for _, x := range s.model.Metrics {
		lines = append(lines, o.source(s, x, width)...)
	}
	if n := s.state.History.Tracks.Untracked; n > 0 {
		for _, l := range wrap(fmt.Sprintf("%s series have no past: only so many are kept; their values are shown all the same", count(n)), width-2, 2) {
			lines = append(lines, " "+s.warn.Render(l))
		}
	}
	if len(lines) > most {
		hidden := len(lines) - most + 1
		lines = append(lines[:most-1], s.faint.Render(fmt.Sprintf(" and %d more lines of this; go in to see them", hidden)))
	}
	return lines
}

func faintLines(s *scene, text string, width int) []string {
	var lines []string
	for _, l := range wrap(text, width-2, 0) {
		lines = append(lines, " "+s.faint.Render(l))
	}
	return lines
}

// source is where metrics come from, in a line, and what went wrong there in others.
func (o *ownMetrics) source(s *scene, x *session.Metrics, width int) []string {
	var lines []string
	if x.Latest != nil {
		text := metricsOrigin(x)
		at := x.Latest.At
		text += fmt.Sprintf(", changed %s (%s ago)", prose.Clock(at), ago(s.now.Sub(at)))
		numbers := fmt.Sprintf("%s families ", count(x.Families))
		if x.Latest.Bytes > 0 {
			numbers = fmt.Sprintf("%s families, %s in %s ", count(x.Families), bytesText(float64(x.Latest.Bytes)), s.lasts(x.Latest.Took.Seconds()))
		}
		lines = append(lines, s.ends(" "+s.faint.Render(text), s.faint.Render(numbers), width))
	}
	add := func(text string) {
		for _, l := range wrap(text, width-2, 2) {
			lines = append(lines, " "+s.warn.Render(l))
		}
	}
	if x.Error != "" {
		text := prose.Clean(short(x.Error))
		if x.Latest != nil {
			text += "; what is shown is of " + prose.Clock(x.Latest.At)
		}
		add(metricsOrigin(x) + ": " + text)
	}
	if x.Cut != "" {
		add("cut: " + prose.Clean(short(x.Cut)))
	}
	return lines
}

// metricsOrigin is a source in words.
func metricsOrigin(x *session.Metrics) string {
	if x.Source == event.MetricsPushed {
		return strings.TrimSpace("pushed " + seriesLabel("", x.Grouping))
	}
	if x.Pod == "" {
		return "scraped"
	}
	return "scraped from " + prose.Clean(short(x.Pod))
}

// The columns of the list, in cells.
const (
	valueCells = 11
	typeCells  = 9
)

// table is the list of series: pinned ones on top.
func (o *ownMetrics) table(s *scene, width, height int, window time.Duration) []string {
	if height < 2 {
		return nil
	}
	kind, spark := 0, 0
	switch {
	case width >= 90:
		kind, spark = typeCells+1, 24
	case width >= 72:
		kind, spark = typeCells+1, 14
	case width >= 52:
		kind = typeCells + 1
	}
	name := width - 2 - kind - 1 - valueCells - 1
	if spark > 0 {
		name -= spark + 1
	}
	head := "  " + s.fit("series", name) + s.fit(" type", kind) + " " + alignRight("now", valueCells)
	if spark > 0 {
		head += " " + s.fit(s.timeAxis(window, spark), spark)
	}
	lines := []string{s.faint.Render(head)}
	if len(o.list) == 0 {
		return append(lines, s.faint.Render(s.fit("  no series has these words", width)))
	}
	o.pages = height - 1
	at := o.chosen()
	o.top = min(max(o.top, at-o.pages+1), at)
	o.top = max(min(o.top, len(o.list)-o.pages), 0)
	for i := o.top; i < min(o.top+o.pages, len(o.list)); i++ {
		lines = append(lines, o.row(s, i, i == at, rowForm{name, kind, spark, window}))
	}
	return lines
}

// rowForm is how a row is divided, in cells.
type rowForm struct {
	name, kind, spark int
	window            time.Duration
}

func (o *ownMetrics) row(s *scene, i int, chosen bool, form rowForm) string {
	r := o.list[i]
	cursor, mark := " ", " "
	if chosen {
		cursor = s.glyphs.bullet
	}
	if i < o.held {
		mark = s.pinMark()
	}
	text := cursor + mark + s.fit(s.middle(r.name, form.name), form.name)
	value := alignRight(r.value(s), valueCells)
	kind := ""
	switch {
	case i < o.held && form.spark == 0 && form.kind > 0: // its curve says more than its type
		kind = " " + s.curveRow(r, form.kind-1, form.window)
	case form.kind > 0:
		kind = " " + s.fit(string(r.family.Type), form.kind-1)
	}
	curve := ""
	if form.spark > 0 {
		curve = " " + s.curveRow(r, form.spark, form.window)
	}
	if chosen && s.focused {
		return s.theme.chosen.Render(text + kind + " " + value + curve)
	}
	if chosen {
		text = s.bold.Render(text)
	}
	if i < o.held && form.spark == 0 {
		kind = s.accent.Render(kind)
	} else {
		kind = s.faint.Render(kind)
	}
	return text + kind + " " + s.bold.Render(value) + s.accent.Render(curve)
}

// middle cuts a name in its middle where it is too wide: its labels tell it from others.
func (s *scene) middle(name string, width int) string {
	w := ansi.StringWidth(name)
	if w <= width || width < 8 {
		return name
	}
	head := width * 2 / 5
	tail := width - head - ansi.StringWidth(s.glyphs.ellipsis)
	return ansi.Truncate(name, head, "") + s.glyphs.ellipsis + ansi.TruncateLeft(name, w-tail, "")
}

// pinMark stands before what is pinned.
func (s *scene) pinMark() string {
	if s.glyphs.ascii {
		return "^"
	}
	return "▴"
}

// curveRow is a row's curve in one line; a time has none.
func (s *scene) curveRow(r *series, width int, window time.Duration) string {
	if r.unit == asInstant {
		return spaces(width)
	}
	c := r.curve(periodOf(s.now, window, width))
	return s.spark(c.columns, 1, r.axis(&c))[0]
}

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

// pinRow is a pinned series among the port's numbers: its value is where their highest is,
// so that its name has room.
func (s *scene) pinRow(r *series, before, room int, window time.Duration) string {
	c := r.curve(periodOf(s.now, window, room))
	name := before - 1 - 1 - valueCells - 2
	text := " " + s.fit(s.middle(s.pinMark()+r.name, name), name) + " " + s.bold.Render(alignRight(r.value(s), valueCells))
	return s.fit(text, before) + s.accent.Render(s.spark(c.columns, 1, r.axis(&c))[0])
}
