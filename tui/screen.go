package tui

import (
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// The panels, by their place.
const (
	overviewPanel = iota
	requestsPanel
	logsPanel
	metricsPanel
	environmentPanel
	buildsPanel
)

// screen is the one model of the program.
type screen struct {
	*theme
	state   *session.State
	control Controller
	now     func() time.Time
	keymap  *keyMap
	// attached tells that the session goes on without the screen; recorded that it is
	// over since long.
	attached, recorded bool
	example            func(session.Model) (event.Exchange, string, error)

	width, height int
	panels        []panel
	focus         int
	zoomed        bool
	chosen        string // the model that is looked at, by id
	overlay       overlay
	said          said
	saidAt        int // counts what was said, so that an old one's end takes no newer one away
	// leaving is set once a person asked to end or leave; over once no events come.
	leaving, over bool
	latest        time.Time // of the last event
	lastSeen      time.Time // when events came last, by this screen's clock

	player *player   // of a recording; nil where there is none
	out    io.Writer // the terminal; nil where there is none
	getenv func(string) string
}

func newScreen(o Options) *screen {
	m := &screen{
		theme: newTheme(o.Profile, o.ASCII), state: &session.State{}, control: o.Control, now: o.Now,
		keymap: newKeyMap(o.Control != nil, o.Attached), attached: o.Attached, example: o.Example, recorded: o.Control == nil,
		panels: []panel{newOverview(), newRequests(), newLogs(), newMetrics(), newEnvironment(), newBuilds()},
		getenv: os.Getenv,
	}
	if m.now == nil {
		m.now = time.Now
	}
	for _, b := range []*key.Binding{&m.keymap.predict, &m.keymap.paste} {
		b.SetEnabled(o.Control != nil && o.Example != nil)
	}
	if o.Out != nil {
		m.out = o.Out
		m.panels[requestsPanel].(*requests).exec = o.exec
	}
	m.state.Remember()
	if o.Recording != nil {
		m.play(o.Recording)
	}
	return m
}

// arrived are events, in their order. ended is the stream's end; endAsked says that
// the session was asked to end.
type (
	arrived  []event.Event
	ended    struct{}
	endAsked struct{}
	tick     time.Time
	silent   int // what was said so long ago is not shown any more
)

func (m *screen) Init() tea.Cmd { return m.every() }

// every is the clock of what moves with time alone, ages and the axes of charts: once a
// second while things happen, and less often while none do, since every look at it costs.
func (m *screen) every() tea.Cmd {
	pause := time.Second
	if m.now().Sub(m.lastSeen) > calm {
		pause = calm
	}
	return tea.Tick(pause, func(at time.Time) tea.Msg { return tick(at) })
}

// moves tells events after which what is shown moves on for a while; the others come at
// all times.
func moves(e event.Event) bool {
	switch f := e.Fact.(type) {
	case event.Scraped, event.Usage:
		return false
	case event.Probed:
		return !f.OK
	case event.Scaled:
		return f.From != f.Desired
	}
	return true
}

// calm is how long nothing must happen before the clock is looked at less often, and
// how often then.
const calm = 5 * time.Second

func (m *screen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case arrived:
		m.apply(msg)
	case ended:
		m.over = true
		if m.leaving || m.state.Ended && m.state.Error == "" && !m.recorded && !m.attached {
			return m, tea.Quit
		}
	case endAsked:
		m.leaving = true
		if m.over {
			return m, tea.Quit
		}
	case tick:
		return m, m.every()
	case said:
		return m, m.say(msg)
	case moved:
		return m, m.moved(msg)
	case played:
		return m, m.played(msg)
	case clipboard:
		return m, m.copy(msg)
	case silent:
		if int(msg) == m.saidAt {
			m.said = said{}
		}
	case tea.MouseMsg:
		return m, m.wheel(msg)
	case tea.KeyMsg:
		return m, m.typed(msg)
	default:
		return m, m.pass(msg)
	}
	return m, nil
}

func (m *screen) apply(events []event.Event) {
	for _, e := range events {
		m.state.Apply(e)
	}
	if slices.ContainsFunc(events, moves) {
		m.lastSeen = m.now()
	}
	if n := len(events); n > 0 {
		m.latest = events[n-1].Time
	}
}

// scene is what panels draw now.
func (m *screen) scene() *scene {
	s := &scene{theme: m.theme, state: m.state, now: m.now(), control: m.control}
	if m.player != nil {
		s.recording = m.player.recording
	}
	if m.recorded {
		s.now = m.latest
	}
	s.model = m.model()
	if s.model != nil {
		s.past = m.state.History.Of(s.model.ID)
	}
	return s
}

// model is the one that is looked at: the chosen one, else the first.
func (m *screen) model() *session.Model {
	for _, model := range m.state.Models {
		if model.ID == m.chosen {
			return model
		}
	}
	if len(m.state.Models) > 0 {
		return m.state.Models[0]
	}
	return nil
}

func (m *screen) View() string {
	if m.width == 0 {
		return ""
	}
	if m.width < floorWidth || m.height < floorHeight {
		return m.shownIn(strings.Join(m.tooSmall(), "\n"))
	}
	s := m.scene()
	lines := m.header(s, m.width)
	bottom := m.bottom(s, m.width)
	lines = append(lines, m.body(s, m.width, m.height-len(lines)-len(bottom))...)
	lines = append(lines, bottom...)
	if m.overlay != nil {
		lines = m.overlay.over(s, lines, m.width)
	}
	return m.shownIn(strings.Join(lines, "\n"))
}

// tooSmall says so, with the one thing that matters.
func (m *screen) tooSmall() []string {
	var lines []string
	for _, model := range m.state.Models {
		glyph, style := m.phase(model.Phase)
		lines = append(lines, style.Render(glyph+" "+model.ID+" "+loud(model)))
	}
	text := "too small: the screen needs " + dimensions(floorWidth, floorHeight) + ", this is " + dimensions(m.width, m.height)
	return m.block(append(lines, wrap(text, m.width, 0)...), m.width, m.height)
}

// typed takes keys one by one: letters that come faster than they are read, of a key that
// is held down, are one message. A key that comes at once after esc, typed fast or over a
// slow line, looks like one pressed with alt.
func (m *screen) typed(msg tea.KeyMsg) tea.Cmd {
	if msg.Alt && m.overlay == nil && !m.typing() {
		msg.Alt = false
		return tea.Batch(m.press(tea.KeyMsg{Type: tea.KeyEsc}), m.typed(msg))
	}
	if msg.Type != tea.KeyRunes || msg.Paste || len(msg.Runes) < 2 {
		return m.press(msg)
	}
	var cmds []tea.Cmd
	for _, r := range msg.Runes {
		cmds = append(cmds, m.press(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}, Alt: msg.Alt}))
	}
	return tea.Batch(cmds...)
}

// press takes a key to whoever it is for: what lies over the screen, the panel, the screen.
func (m *screen) press(msg tea.KeyMsg) tea.Cmd {
	s := m.scene()
	if key.Matches(msg, m.keymap.stop) {
		return m.leave(true)
	}
	if m.overlay != nil {
		next, cmd := m.overlay.press(m, s, msg)
		m.overlay = next
		return cmd
	}
	p, typing := m.panels[m.focus], m.typing()
	if m.player != nil && !typing {
		for _, a := range m.playerActions() {
			if key.Matches(msg, a.key) {
				return a.run()
			}
		}
	}
	if cmd, taken := p.press(s, msg); taken || typing {
		return cmd
	}
	for _, a := range m.actions(s) {
		if a.enabled() && key.Matches(msg, a.key) {
			return a.run()
		}
	}
	return nil
}

// typing tells whether the focused panel takes a text.
func (m *screen) typing() bool {
	p, is := m.panels[m.focus].(typer)
	return is && p.typing()
}

// leave ends the session where it is ours, and the screen with it.
func (m *screen) leave(force bool) tea.Cmd {
	if !m.ownsSession() {
		m.leaving = true
		return tea.Quit
	}
	if m.leaving && !force {
		return nil
	}
	m.leaving = true
	return tea.Batch(m.say(said{text: "stopping: running requests finish, then the containers end (ctrl+c: at once)"}), do("", m.control.Stop))
}

// ownsSession tells whether the session ends with the screen.
func (m *screen) ownsSession() bool { return !m.over && !m.attached && m.control != nil }

// say shows an action's outcome for some seconds, errors for longer.
func (m *screen) say(what said) tea.Cmd {
	if what.text == "" {
		return nil
	}
	m.said = what
	m.saidAt++
	at, lasts := m.saidAt, 4*time.Second
	if what.bad {
		lasts = 15 * time.Second
	}
	return tea.Tick(lasts, func(time.Time) tea.Msg { return silent(at) })
}

// pass gives a message to the panels: one of them started what it ends.
func (m *screen) pass(msg tea.Msg) tea.Cmd {
	s := m.scene()
	var cmds []tea.Cmd
	for _, p := range m.panels {
		if r, is := p.(receiver); is {
			cmds = append(cmds, r.receive(s, msg))
		}
	}
	if m.overlay != nil {
		if r, is := m.overlay.(receiver); is {
			cmds = append(cmds, r.receive(s, msg))
		}
	}
	return tea.Batch(cmds...)
}

// wheel scrolls the focused panel by three lines.
func (m *screen) wheel(msg tea.MouseMsg) tea.Cmd {
	lines := 0
	switch msg.Button {
	case tea.MouseButtonWheelUp:
		lines = -3
	case tea.MouseButtonWheelDown:
		lines = 3
	default:
		return nil
	}
	if p, is := m.panels[m.focus].(scroller); is && m.overlay == nil {
		p.scroll(m.scene(), lines)
	}
	return nil
}

// open is the focused panel where a person went in; nil where not.
func (m *screen) open() opener {
	if p, is := m.panels[m.focus].(opener); is && p.inside() {
		return p
	}
	return nil
}
