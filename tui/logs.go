package tui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/caraml-dev/merlin-local/emulator/prose"
)

// logs are what all replicas of the model and its builds wrote. They follow the end until
// a person goes up from it.
type logs struct {
	book   logbook
	chosen logFilter
	only   string // the one container that is shown; empty are all
	shown  []int  // the records that are shown, by number, in their order
	search logSearch
	ask    *logPrompt // what is being typed; nil is nothing

	rows   rowCache
	inks   *logInks
	width  int // of a line, as drawn last
	height int // of the records, as drawn last

	// top is the first row and at the one under the cursor; where the end is followed
	// neither counts.
	paused  bool
	top, at place
	fresh   int // records since it was paused

	wrap, raw, timeless, unfolded bool
	slid                          int // cells to the right, where lines are not wrapped
}

func newLogs() *logs { return &logs{} }

func (p *logs) title() string { return "Logs" }

// The keys of the panel. Those that matter most come first: the bottom line has not room
// for all.
var (
	logSearchKey = bind("search", "s", "s", "ctrl+f")
	logNext      = bind("next match", "n")
	logBefore    = bind("match before", "N")
	logUnfold    = bind("unfold the record: a traceback, fields", "enter")
	logUnfoldAll = bind("unfold all tracebacks", "x")
	logPrevious  = bind("previous container: the last that ended, then the one before", "p")
	logWrap      = bind("wrap", "w")
	logRaw       = bind("raw: as it was written", "r")
	logTimes     = bind("times", "t")
	logCopy      = bind("copy the record", "y")
	logCopyAll   = bind("copy all that is shown", "Y")
	logSave      = bind("save what is shown to a file", "ctrl+s")
	logUp        = bind("up: pauses", "↑/k", "up", "k")
	logDown      = bind("down", "↓/j", "down", "j")
	logPageUp    = bind("page up", "pgup", "pgup", "ctrl+u", "ctrl+b")
	logPageDown  = bind("page down", "pgdown", "pgdown", "ctrl+d", " ")
	logLeft      = bind("left, where lines are not wrapped", "←/h", "left", "h")
	logRight     = bind("right, where lines are not wrapped", "→/l", "right", "l")
	logFirst     = bind("first line", "g", "g", "home")
	logFollow    = bind("follow the end", "G", "G", "end")
	logDone      = bind("do it", "enter")
	logNotDone   = bind("leave it", "esc")
)

func (p *logs) keys() []key.Binding {
	if p.typing() {
		return []key.Binding{logDone, logNotDone}
	}
	keys := []key.Binding{logSearchKey, logUnfold, logPrevious, logWrap, logRaw, logCopy, logSave, logUnfoldAll, logTimes, logCopyAll}
	if p.search.on() {
		keys = append([]key.Binding{logNext, logBefore}, keys...)
	}
	if p.paused {
		keys = append([]key.Binding{logFollow}, keys...)
	} else {
		keys = append(keys, logFollow)
	}
	return append(keys, logUp, logDown, logPageUp, logPageDown, logFirst, logLeft, logRight)
}

// badge says what is not as it is at the beginning.
func (p *logs) badge(s *scene) string {
	p.read(s)
	var parts []string
	add := func(is bool, text string) {
		if is {
			parts = append(parts, text)
		}
	}
	add(p.only != "", "only "+p.onlyName())
	add(p.paused && p.fresh > 0, count(int64(p.fresh))+" new")
	add(p.paused && p.fresh == 0, "paused")
	add(p.search.on(), p.search.told(p.at.record, p.paused))
	add(p.raw, "raw")
	if s.model != nil {
		h := &s.state.History.Logs
		add(h.First() > 0, "kept "+count(int64(h.Len()))+" of "+count(int64(h.End())))
	}
	return strings.Join(parts, ", ")
}

// read takes in what came since.
func (p *logs) read(s *scene) {
	if p.inks == nil { // a key may come before the first frame
		p.inks, p.width, p.height = newLogInks(s.theme), 80, 20
	}
	if s.model == nil { // before the session's beginning, perhaps again
		p.book, p.shown, p.search.found, p.paused = logbook{}, nil, nil, false
		return
	}
	before := p.book.model
	if !p.book.read(s.state.History, s.model.ID, (*logShown)(p)) {
		return
	}
	if before != s.model.ID {
		p.only = ""
	}
	p.redraw()
	p.follow()
	p.choose()
}

// rewound reads everything again.
func (p *logs) rewound() { p.book.history = nil }

// logShown keeps the lists of the records that are shown, and of those that a search
// found, up to date.
type logShown logs

func (l *logShown) added(number int) {
	p := (*logs)(l)
	if p.passes(number) {
		p.shown = append(p.shown, number)
		p.fresh++
		p.search.look(p, number)
	}
}

func (l *logShown) grew(number int) {
	p := (*logs)(l)
	p.rows.drop(number)
	if i, shown := slices.BinarySearch(p.shown, number); !shown && p.passes(number) {
		p.shown = slices.Insert(p.shown, i, number)
	} else if !shown {
		return
	}
	p.search.look(p, number)
}

func (l *logShown) went(first int) {
	p := (*logs)(l)
	i, _ := slices.BinarySearch(p.shown, first)
	p.shown = p.shown[i:]
	p.search.went(first)
}

// passes tells whether a record is shown.
func (p *logs) passes(number int) bool {
	r := p.book.at(number)
	if p.only != "" {
		if replica, build := p.book.replica(r); build || replica != p.only {
			return false
		}
	}
	return p.chosen.passes(inRecord{&p.book, r, p.raw})
}

// choose finds anew which records are shown and which a search finds.
func (p *logs) choose() {
	p.shown = p.shown[:0]
	p.search.found = nil
	fresh := p.fresh
	for number := p.book.gone; number < p.book.end(); number++ {
		(*logShown)(p).added(number)
	}
	p.fresh = fresh
}

func (p *logs) filter() string     { return p.chosen.text }
func (p *logs) filterHelp() string { return logFilterHelp }

func (p *logs) setFilter(s *scene, text string) (tea.Cmd, error) {
	f, err := newLogFilter(text)
	if err != nil {
		return nil, err
	}
	p.read(s)
	p.chosen = f
	p.choose()
	return nil, nil
}

func (p *logs) press(s *scene, msg tea.KeyMsg) (tea.Cmd, bool) {
	p.read(s)
	if p.typing() {
		return p.typed(s, msg), true
	}
	if p.move(s, msg) {
		return nil, true
	}
	switch {
	case key.Matches(msg, logSearchKey):
		p.askSearch()
	case key.Matches(msg, logNext) && p.search.on():
		return p.jump(s, 1), true
	case key.Matches(msg, logBefore) && p.search.on():
		return p.jump(s, -1), true
	case key.Matches(msg, logUnfold):
		return nil, p.unfold(s)
	case key.Matches(msg, logUnfoldAll):
		p.unfolded = !p.unfolded
		p.redraw()
	case key.Matches(msg, logPrevious):
		return p.previous(), true
	case key.Matches(msg, logWrap):
		p.wrap, p.slid = !p.wrap, 0
		p.redraw()
	case key.Matches(msg, logRaw):
		p.raw = !p.raw
		p.redraw()
		p.choose()
	case key.Matches(msg, logTimes):
		p.timeless = !p.timeless
		p.redraw()
	case key.Matches(msg, logCopy):
		return p.copy(s), true
	case key.Matches(msg, logCopyAll):
		return p.copyAll(), true
	case key.Matches(msg, logSave):
		p.askName(s)
	case key.Matches(msg, logNotDone):
		return nil, p.undo()
	default:
		return nil, false
	}
	return nil, true
}

// undo leaves what esc leaves here: the search, then the one container.
func (p *logs) undo() bool {
	switch {
	case p.search.on():
		p.search = logSearch{}
		p.redraw()
	case p.only != "":
		p.only = ""
		p.choose()
	default:
		return false
	}
	return true
}

// previous shows only the container that ended last, then the one before, then all again.
func (p *logs) previous() tea.Cmd {
	from := len(p.book.containers)
	if p.only != "" {
		from = max(slices.IndexFunc(p.book.containers, func(c logContainer) bool { return c.replica == p.only }), 0)
	}
	ended := from - 1
	for ended >= 0 && !p.book.containers[ended].ended {
		ended--
	}
	p.follow()
	defer p.choose()
	if ended < 0 {
		if p.only == "" {
			return say("no container of " + p.book.model + " has ended yet")
		}
		p.only = ""
		return say("all containers again")
	}
	c := p.book.containers[ended]
	p.only = c.replica
	return say(fmt.Sprintf("only %s, container %s, which %s", prose.Clean(p.book.name(c.replica)), prose.Clean(c.replica), c.how))
}

// onlyName is the one container that is shown: as it is called, and how it ended.
func (p *logs) onlyName() string {
	for _, c := range p.book.containers {
		if c.replica == p.only && c.ended {
			return prose.Clean(p.book.name(p.only)) + " that " + c.how
		}
	}
	return prose.Clean(p.book.name(p.only))
}

func say(text string) tea.Cmd { return func() tea.Msg { return said{text: text} } }
