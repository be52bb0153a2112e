package tui

import (
	"fmt"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/caraml-dev/merlin-local/emulator/session"
)

// metrics are numbers over time: those of the port and the containers, and, in a second
// view, the model's own. What is pinned of these is shown with those of the port too.
type metrics struct {
	own    bool // whether the model's own are shown
	inner  bool // whether a person went in
	length int  // of the time that is shown, in lengths
	asked  bool // a person chose the length; else it follows the session's age
	series ownMetrics
	drawn  struct {
		of    metricsDrawing
		lines []string
	}
}

// lengths are how long a time may be shown.
var metricsLengths = []time.Duration{2 * time.Minute, 10 * time.Minute, 60 * time.Minute}

func newMetrics() *metrics { return &metrics{} }

// follow shows a young session from its begin on, and of an older one the last while.
func (p *metrics) follow(s *scene) {
	if p.asked || s.state.Started.IsZero() {
		return
	}
	p.length = 0
	if s.now.Sub(s.state.Started) > metricsLengths[0] {
		p.length = 1
	}
}

// rewound draws and lists anew: the same numbers may be of another time.
func (p *metrics) rewound() {
	p.drawn.lines = nil
	p.series.of, p.series.all, p.series.list = listed{}, nil, nil
}

func (p *metrics) title() string { return "Metrics" }

func (p *metrics) badge(s *scene) string {
	p.follow(s)
	if p.own && s.model != nil {
		return p.series.count(s)
	}
	return "last " + minutesText(p.window())
}

func (p *metrics) window() time.Duration { return metricsLengths[p.length] }

var (
	metricsView   = bind("own metrics, or the port's", "m")
	metricsLonger = bind("longer time", "+", "+", "=")
	metricsShort  = bind("shorter time", "-")
	seriesUp      = bind("series above", "↑/k", "up", "k", "pgup")
	seriesDown    = bind("series below", "↓/j", "down", "j", "pgdown")
	seriesFirst   = bind("first series", "g", "g", "home")
	seriesLast    = bind("last series", "G", "G", "end")
	seriesPin     = bind("pin the series: it stays on top, and is among the port's", "p")
	seriesPods    = bind("each pod's series, or their sum", "s")
)

func (p *metrics) keys() []key.Binding {
	if p.own {
		return []key.Binding{metricsView, seriesPin, seriesPods, metricsLonger, metricsShort, seriesUp, seriesDown, seriesFirst, seriesLast}
	}
	return []key.Binding{metricsView, metricsLonger, metricsShort}
}

func (p *metrics) press(s *scene, msg tea.KeyMsg) (tea.Cmd, bool) {
	p.follow(s)
	switch {
	case key.Matches(msg, metricsView):
		p.own = !p.own
	case key.Matches(msg, metricsLonger):
		p.length, p.asked = min(p.length+1, len(metricsLengths)-1), true
	case key.Matches(msg, metricsShort):
		p.length, p.asked = max(p.length-1, 0), true
	case p.own && s.model != nil:
		return nil, p.series.press(s, msg)
	default:
		return nil, false
	}
	return nil, true
}

func (p *metrics) enter(*scene) tea.Cmd {
	p.inner = true
	return nil
}

func (p *metrics) back() bool {
	was := p.inner
	p.inner = false
	return was
}

func (p *metrics) inside() bool { return p.inner }

func (p *metrics) scroll(s *scene, lines int) {
	if p.own && s.model != nil {
		p.series.move(s, lines)
	}
}

func (p *metrics) filter() string { return p.series.words }

// setFilter looks for series: in the model's own, so those are shown.
func (p *metrics) setFilter(_ *scene, text string) (tea.Cmd, error) {
	p.series.look(text)
	if text != "" {
		p.own = true
	}
	return nil, nil
}

func (p *metrics) filterHelp() string { return "words of a name, a label, a type or a help text" }

// metricsDrawing is what a picture depends on: while it is the same, so is the picture.
type metricsDrawing struct {
	width, height   int
	focused         bool
	own, inner      bool
	length          int
	model           string
	second          int64
	numbers, series int // how many entries of the past, and samples, there were
	sources         int
	tracks          *session.Tracks
	view            viewed
}

func (p *metrics) draw(s *scene, width, height int) []string {
	p.follow(s)
	if s.model == nil || width < 1 || height < 1 {
		return nil
	}
	of := metricsDrawing{
		width: width, height: height, focused: s.focused, own: p.own, inner: p.inner, length: p.length,
		model: s.model.ID, second: s.now.Unix(), numbers: s.past.Seconds.End(),
		series: s.state.History.Tracks.Samples, sources: len(s.model.Metrics), tracks: s.state.History.Tracks, view: p.series.viewed(s),
	}
	if p.drawn.lines == nil || p.drawn.of != of {
		p.drawn.lines = p.picture(s, width, height)
		of.view = p.series.viewed(s)
		p.drawn.of = of
	}
	return p.drawn.lines
}

func (p *metrics) picture(s *scene, width, height int) []string {
	switch {
	case p.own:
		return p.series.draw(s, width, height, p.window())
	case p.inner || width >= chartsWidth && height >= chartsHeight:
		return p.charts(s, width, height)
	}
	return p.sparks(s, width, height)
}

// From so large on charts are drawn even where nobody went in.
const chartsWidth, chartsHeight = 100, 24

// portNumbers are those of the port and the containers, the more important first.
func (s *scene) portNumbers() []portNumber {
	latency := func(of func(x *session.Second) time.Duration) func(x *session.Second) (float64, bool) {
		return func(x *session.Second) (float64, bool) { return of(x).Seconds(), x.Rate > 0 }
	}
	whole := func(v float64) string { return numberText(v) }
	rate := func(v float64) string { return s.text(v, eachSecond) }
	lasts := func(v float64) string { return s.text(v, inSeconds) }
	memory := func(v float64) string { return s.text(v, inBytes) }
	running := 0
	for _, pod := range s.model.Pods {
		if pod.Usage != nil {
			running++
		}
	}
	list := []portNumber{
		{measure: measure{name: "rate", text: rate, of: func(x *session.Second) (float64, bool) { return x.Rate, true }}, unit: eachSecond, prior: 1},
		{measure: measure{name: "p50", text: lasts, of: latency(func(x *session.Second) time.Duration { return x.P50 })}, unit: inSeconds, prior: 8},
		{measure: measure{name: "p95", text: lasts, of: latency(func(x *session.Second) time.Duration { return x.P95 })}, unit: inSeconds, prior: 2},
		{measure: measure{name: "p99", text: lasts, of: latency(func(x *session.Second) time.Duration { return x.P99 })}, unit: inSeconds, prior: 7},
		{measure: measure{name: "errors", text: rate, passing: true, of: func(x *session.Second) (float64, bool) { return float64(x.Failed), true }}, unit: eachSecond, prior: 5, bad: true},
		{measure: measure{name: "in flight", text: whole, of: func(x *session.Second) (float64, bool) { return float64(x.InFlight), true }}, prior: 6},
		{measure: measure{name: "queue", text: whole, of: func(x *session.Second) (float64, bool) { return float64(x.Queued + x.Held), true }}, prior: 9},
		{measure: measure{name: "cpu", text: whole, of: func(x *session.Second) (float64, bool) { return x.CPU, x.Memory > 0 }}, prior: 4, limit: cpuLimit(s.model.CPULimit) * float64(running)},
		{measure: measure{name: "memory", text: memory, of: func(x *session.Second) (float64, bool) { return float64(x.Memory), x.Memory > 0 }}, unit: inBytes, prior: 3},
		{measure: measure{name: "replicas", text: whole, of: func(x *session.Second) (float64, bool) { return float64(x.Ready), true }}, prior: 10},
	}
	if u := s.model.Usage; u != nil {
		list[8].limit = float64(u.MemoryLimit)
	}
	return list
}

// portNumber is a number, and how it is shown.
type portNumber struct {
	measure
	unit  unit
	limit float64 // 0 where there is none
	prior int     // 1 gets room first
	bad   bool    // whether more than none is bad
	curve
}

// measured are the numbers with their curves in that many columns.
func (s *scene) measured(window time.Duration, columns int) []portNumber {
	list := s.portNumbers()
	plain := make([]measure, len(list))
	for i := range list {
		plain[i] = list[i].measure
	}
	for i, c := range curves(&s.past.Seconds, periodOf(s.now, window, columns), plain) {
		list[i].curve = c
	}
	return list
}

// current is the number now, against its limit.
func (n *portNumber) current(s *scene) string {
	switch {
	case n.name == "replicas":
		return replicas(s.model)
	case n.limit > 0:
		return s.of(n.now, n.limit, n.unit)
	}
	return n.shown(n.now)
}

func (n *portNumber) shown(v float64) string {
	if v != v { // nothing is known
		return "-"
	}
	return n.text(v)
}

// axis ends at the number's limit, or at half of it, a quarter and so on where it is far
// from it; without a limit at a round number. Replicas leave some room, so that a fixed
// number of them is no wall.
func (n *portNumber) axis() scale {
	switch {
	case n.limit > 0 && n.max > n.limit:
		return scale{0, n.max}
	case n.limit > 0:
		high := n.limit
		for n.max > 0 && n.max < high*0.45 {
			high /= 2
		}
		return scale{0, high}
	case n.name == "replicas" && n.max > 0:
		return scale{0, n.max + 1}
	}
	return scale{0, roof(n.max, n.unit)}
}

// full is how much of its limit it takes, in percent; empty without one.
func (n *portNumber) full() string {
	if n.limit <= 0 || n.now != n.now {
		return ""
	}
	return fmt.Sprintf("%.0f%%", 100*n.now/n.limit)
}
