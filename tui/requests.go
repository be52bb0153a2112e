package tui

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/tui/filter"
)

// requests is every request that the model got, and one of them in detail.
type requests struct {
	list   requestList
	pods   podNames
	text   string // the filter's, as it was typed
	chosen *filter.Filter
	bodies bodySearch
	status int // the widest status that was drawn

	view   *exchangeView // the one that a person went into
	diff   *comparison   // over it
	pinned *pinned
	marks  []event.Event // the latest last
	prompt *exportPrompt
	draft  draft

	// exec lends the terminal to a program; getenv reads the environment.
	exec   func(*exec.Cmd, tea.ExecCallback) tea.Cmd
	getenv func(string) string
}

func newRequests() *requests {
	return &requests{list: requestList{following: true}, exec: tea.ExecProcess, getenv: os.Getenv}
}

func (p *requests) title() string { return "Requests" }

// badge tells what has come since the list stands still, how many are chosen, and how many
// are kept of all that there were.
func (p *requests) badge(s *scene) string {
	if p.inside() {
		return p.page().pager.badge()
	}
	p.update(s)
	var parts []string
	switch {
	case p.list.following:
	case p.list.fresh() > 0:
		parts = append(parts, count(int64(p.list.fresh()))+" new")
	default:
		parts = append(parts, "paused")
	}
	kept := len(p.list.kept)
	if p.text != "" {
		parts = append(parts, count(int64(len(p.list.places)))+"/"+count(int64(kept)))
	}
	if note := p.bodies.note(); note != "" {
		parts = append(parts, note)
	}
	if p.text == "" && s.model != nil && s.model.Traffic != nil {
		if all := s.model.Traffic.Requests; all > uint64(kept) {
			parts = append(parts, fmt.Sprintf("kept %s of %s", count(int64(kept)), count(all)))
		}
	}
	return strings.Join(parts, "  ")
}

func (p *requests) update(s *scene) {
	p.pods.learn(s)
	before, inBody := math.MaxInt, p.bodies.holds
	if len(p.chosen.Texts()) > 0 {
		before = p.bodies.until // what came later was not searched
	}
	p.list.update(s, &p.pods, p.chosen, before, inBody)
}

var (
	requestUp       = bind("the one before", "↑/k", "up", "k")
	requestDown     = bind("the next one", "↓/j", "down", "j")
	requestPageUp   = bind("a page back", "pgup", "pgup", "ctrl+b")
	requestPageDown = bind("a page on", "pgdn", "pgdown", "ctrl+f")
	requestFirst    = bind("the oldest", "g", "g", "home")
	requestLast     = bind("follow the newest", "G", "G", "end")
	requestOlder    = bind("the request before", "←", "left")
	requestNewer    = bind("the request after", "→", "right")
	requestHeaders  = bind("headers", "h")
	requestCopy     = bind("copy: as curl or grpcurl", "y")
	requestBody     = bind("copy body: the answer's, or else the request's", "Y")
	requestEdit     = bind("edit: the body in your editor, and send", "e")
	requestAgain    = bind("resend: as it was, as a new row", "r")
	requestPin      = bind("pin: into the repo, and to compare with", "p")
	requestMark     = bind("mark", "m")
	requestCompare  = bind("compare: with the pinned or marked one", "c")
	requestExport   = bind("export: to a file", "x")
)

func (p *requests) keys() []key.Binding {
	actions := []key.Binding{requestCopy, requestBody, requestEdit, requestAgain, requestPin, requestMark, requestCompare, requestExport}
	switch {
	case p.diff != nil:
		return p.diff.keys()
	case p.view != nil:
		return append(append(actions, requestOlder, requestNewer, requestHeaders), p.view.keys()...)
	}
	return append(actions, requestUp, requestDown, requestPageUp, requestPageDown, requestFirst, requestLast)
}

func (p *requests) press(s *scene, msg tea.KeyMsg) (tea.Cmd, bool) {
	switch {
	case p.prompt != nil:
		return p.prompt.press(p, msg), true
	case p.diff != nil:
		return nil, p.diff.press(msg)
	case p.view != nil && p.view.asking:
		return nil, p.view.press(msg)
	}
	if cmd, taken := p.act(s, msg); taken {
		return cmd, true
	}
	if p.view != nil {
		return p.pressInside(s, msg)
	}
	p.update(s)
	page := max(p.list.height-1, 1)
	switch {
	case key.Matches(msg, requestUp):
		p.list.move(-1)
	case key.Matches(msg, requestDown):
		p.list.move(1)
	case key.Matches(msg, requestPageUp):
		p.list.move(-page)
	case key.Matches(msg, requestPageDown):
		p.list.move(page)
	case key.Matches(msg, requestFirst):
		p.list.move(math.MinInt32)
	case key.Matches(msg, requestLast):
		p.list.move(math.MaxInt32)
	default:
		return nil, false
	}
	return nil, true
}

func (p *requests) pressInside(s *scene, msg tea.KeyMsg) (tea.Cmd, bool) {
	switch {
	case key.Matches(msg, requestOlder):
		return p.goTo(s, -1), true
	case key.Matches(msg, requestNewer):
		return p.goTo(s, 1), true
	case key.Matches(msg, requestHeaders):
		p.view.headers, p.view.stale = !p.view.headers, true
		return nil, true
	}
	return nil, p.view.press(msg)
}

// goTo opens the request so many rows further in the list.
func (p *requests) goTo(s *scene, rows int) tea.Cmd {
	p.update(s)
	before := p.list.cursor
	if p.list.move(rows); p.list.cursor == before {
		return nil
	}
	p.list.stay()
	return p.open(s)
}

// act does what the keys do that are the same in the list and inside.
func (p *requests) act(s *scene, msg tea.KeyMsg) (tea.Cmd, bool) {
	for _, a := range []struct {
		key key.Binding
		do  func(*scene, event.Event) tea.Cmd
	}{
		{requestCopy, p.copyCommand},
		{requestBody, p.copyBody},
		{requestEdit, p.edit},
		{requestAgain, p.again},
		{requestPin, p.pin},
		{requestMark, p.mark},
		{requestCompare, p.compare},
		{requestExport, p.askExport},
	} {
		if !key.Matches(msg, a.key) {
			continue
		}
		e, ok := p.current(s)
		if !ok {
			return tell(said{text: "there is no request yet", bad: true}), true
		}
		p.list.stay() // so that what is acted on stays under the cursor
		return a.do(s, e), true
	}
	return nil, false
}

func tell(what said) tea.Cmd { return func() tea.Msg { return what } }

// current is the request that a person went into, or that is under the cursor.
func (p *requests) current(s *scene) (event.Event, bool) {
	if p.view != nil {
		return p.view.e, true
	}
	p.update(s)
	if len(p.list.places) == 0 {
		return event.Event{}, false
	}
	return *s.state.History.Requests.At(p.list.cursor), true
}

func (p *requests) typing() bool {
	return p.prompt != nil || p.inside() && p.page().asking
}

func (p *requests) enter(s *scene) tea.Cmd {
	p.update(s)
	if len(p.list.places) == 0 {
		return nil
	}
	p.list.stay()
	return p.open(s)
}

// open shows the request under the cursor, and asks for what was captured of it.
func (p *requests) open(s *scene) tea.Cmd {
	e := *s.state.History.Requests.At(p.list.cursor)
	headers := p.view != nil && p.view.headers
	p.view = newExchangeView(e, &p.pods)
	p.view.headers = headers
	get, id := p.exchangeOf(s, e), p.view.served.ID
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		x, err := get(ctx)
		return exchangeCame{id, x, err}
	}
}

func (p *requests) back() bool {
	switch {
	case p.diff != nil:
		p.diff = nil
	case p.view != nil && p.view.pattern != nil:
		p.view.look("")
	case p.view != nil:
		p.view = nil
	default:
		return false
	}
	return true
}

func (p *requests) inside() bool { return p.view != nil || p.diff != nil }

// page is the innermost one that is open.
func (p *requests) page() *page {
	if p.diff != nil {
		return &p.diff.page
	}
	return &p.view.page
}

func (p *requests) scroll(_ *scene, lines int) {
	if p.inside() {
		p.page().pager.top += lines
		return
	}
	p.list.move(lines)
}

func (p *requests) draw(s *scene, width, height int) []string {
	room := height
	if p.prompt != nil {
		room--
	}
	var lines []string
	if p.inside() {
		lines = p.page().draw(s, width, room)
	} else {
		lines = p.drawList(s, width, room)
	}
	if p.prompt != nil {
		lines = append(s.block(lines, width, room), p.prompt.draw(s, width))
	}
	return lines
}

func (p *requests) drawList(s *scene, width, height int) []string {
	p.update(s)
	if s.model == nil {
		return nil
	}
	if len(p.list.places) == 0 && p.pinned == nil {
		return p.nothing(s, width)
	}
	columns := columnsOf(width, p.status)
	lines := []string{columns.head(s, s.model.Protocol == "UPI_V1")}
	if p.pinned != nil {
		lines = append(lines, columns.row(s, &p.pinned.e, &p.pinned.served, p.pods.of(s, &p.pinned.served), "P", false))
	}
	for _, place := range p.list.window(height - len(lines)) {
		e := s.state.History.Requests.At(place)
		served := e.Fact.(event.Served)
		p.status = max(p.status, len(requestWord(&served)))
		lines = append(lines, columns.row(s, e, &served, p.pods.of(s, &served), p.markOf(e, &served), place == p.list.cursor))
	}
	return lines
}

// markOf is the letter before a row.
func (p *requests) markOf(e *event.Event, served *event.Served) string {
	if p.pinned != nil && p.pinned.served.ID == served.ID {
		return "P"
	}
	for i := range p.marks {
		if p.marks[i].Seq == e.Seq {
			return "m"
		}
	}
	return ""
}

// nothing says why the list is empty, and what to do.
func (p *requests) nothing(s *scene, width int) []string {
	text := "No requests yet. P sends the repo's request.json, as this does in a shell:\n\n  merlin-local predict " + s.model.ID + "\n\nThe model is called at:\n\n  " + calledAt(s)
	switch {
	case p.bodies.err != nil:
		text = "~b finds nothing: " + p.bodies.note()
	case p.bodies.running:
		text = "Looking through the bodies that were captured."
	case p.text != "":
		text = fmt.Sprintf("None of the %s requests that are kept is chosen by %s. esc shows all.", count(int64(len(p.list.kept))), legible(p.text))
	case s.control == nil:
		text = "No requests by then."
	}
	var lines []string
	for _, l := range wrap(text, width-2, 0) {
		lines = append(lines, " "+s.faint.Render(l))
	}
	return lines
}

func (p *requests) filter() string { return p.text }

func (p *requests) filterHelp() string { return filter.Help }

// setFilter shows what the text chooses. Bodies are searched a moment after the last key.
func (p *requests) setFilter(s *scene, text string) (tea.Cmd, error) {
	chosen, err := filter.Parse(text)
	if err != nil {
		return nil, err
	}
	p.text, p.chosen = strings.TrimSpace(text), chosen
	p.list.restart()
	return p.bodies.begin(s, chosen.Texts()), nil
}

// receive takes what the panel's own commands end with.
func (p *requests) receive(s *scene, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case exchangeCame:
		if p.view != nil && p.view.served.ID == msg.id {
			p.view.came(msg.exchange, msg.err)
		}
	case pinned:
		p.pinned = &msg
		return tell(msg.said())
	case compared:
		p.diff = newComparison(msg.name, msg.before, msg.after)
	case searchBodies, bodiesFound:
		return p.searched(s, msg)
	case *editing:
		return p.exec(editor(p.getenv, msg.path), func(err error) tea.Msg { return editorLeft{msg, err} })
	case editorLeft:
		return p.send(s, msg)
	case draft:
		p.draft = msg
	case exported:
		return p.exported(msg)
	}
	return nil
}

// searched takes a step of the search in bodies.
func (p *requests) searched(s *scene, msg tea.Msg) tea.Cmd {
	if found, is := msg.(bodiesFound); is {
		if p.bodies.take(found) {
			p.list.restart()
		}
	}
	return p.bodies.next(s, msg, time.Now)
}
