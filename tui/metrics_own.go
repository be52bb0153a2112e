package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

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
