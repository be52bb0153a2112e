package tui

import (
	"fmt"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// player is where in a recording the screen is. What it shows is read outside the
// screen's goroutine, one move at a time; keys that come meanwhile say where to move next.
type player struct {
	recording *session.Recording
	place     int       // so many events are shown
	clock     time.Time // in the recording
	target    int       // where the last key led to
	moving    bool
	playing   int // counts the times it was set to play; 0 while it stands still
	plays     int
	ticked    time.Time
}

// What the player's commands end with.
type (
	// moved has either the events up to a place, or the state there.
	moved struct {
		place  int
		events []event.Event
		state  *session.State
		err    error
	}
	played struct {
		times int // which playing it belongs to
		at    time.Time
	}
)

const (
	timeStep = 10 * time.Second
	// fewEvents are applied to the state that is shown; to move on by more, or back, another
	// state is made.
	fewEvents = 2000
	playEvery = 100 * time.Millisecond
)

var (
	playAfter  = bind("happening after", ".")
	playBefore = bind("happening before", ",")
	playPause  = bind("play or pause, at the pace it was recorded at", "space", " ")
	playOn     = bind("10 seconds on", ">")
	playBack   = bind("10 seconds back", "<")
	playFirst  = bind("beginning", "home")
	playLast   = bind("end", "end")
)

func playerKeys() []key.Binding {
	return []key.Binding{playBefore, playAfter, playPause, playBack, playOn, playFirst, playLast}
}

// play opens a recording at its end.
func (m *screen) play(r *session.Recording) {
	m.player = &player{recording: r, place: r.Len(), target: r.Len(), clock: r.Time(r.Len())}
	m.recorded, m.over, m.latest = true, true, m.player.clock
	state, err := r.State(r.Len())
	if err != nil {
		m.said = said{text: err.Error(), bad: true}
		return
	}
	m.state = state
	if notes := r.Notes(); len(notes) > 0 {
		m.said = said{text: notes[0], bad: true} // until the first key leads elsewhere
	}
}

// playerActions are the player's keys and what they do.
func (m *screen) playerActions() []action {
	p, r := m.player, m.player.recording
	return []action{
		{playBefore, func() tea.Cmd { return m.moveTo(r.Before(p.target)) }},
		{playAfter, func() tea.Cmd { return m.moveTo(r.After(p.target)) }},
		{playPause, m.playOrPause},
		{playBack, func() tea.Cmd { return m.moveBy(-timeStep) }},
		{playOn, func() tea.Cmd { return m.moveBy(timeStep) }},
		{playFirst, func() tea.Cmd { return m.moveTo(0) }},
		{playLast, func() tea.Cmd { return m.moveTo(r.Len()) }},
	}
}

// moveTo stops playing, and goes to a place.
func (m *screen) moveTo(place int) tea.Cmd {
	m.player.playing = 0
	m.player.clock = m.player.recording.Time(place)
	return m.seek(place)
}

// moveBy moves the clock, within the recording.
func (m *screen) moveBy(d time.Duration) tea.Cmd {
	p := m.player
	first, last := p.recording.Time(0), p.recording.Time(p.recording.Len())
	p.clock = p.clock.Add(d)
	switch {
	case !p.clock.After(first):
		p.clock = first
		return m.seek(0)
	case p.clock.After(last):
		p.clock = last
	}
	return m.seek(p.recording.At(p.clock))
}

// seek has the screen show a place. Its command reads what that takes.
func (m *screen) seek(place int) tea.Cmd {
	p := m.player
	m.said = said{}
	p.target = place
	m.latest = p.clock
	if p.moving || p.target == p.place {
		return nil
	}
	p.moving = true
	from, to, r := p.place, p.target, p.recording
	return func() tea.Msg {
		if to > from && to-from <= fewEvents {
			events, err := r.Events(from, to)
			return moved{place: to, events: events, err: err}
		}
		state, err := r.State(to)
		return moved{place: to, state: state, err: err}
	}
}

// moved shows what was read, and goes on where a key led further.
func (m *screen) moved(msg moved) tea.Cmd {
	p := m.player
	p.moving = false
	if msg.err != nil {
		p.target, p.playing = p.place, 0
		return m.say(said{text: msg.err.Error(), bad: true})
	}
	if msg.state != nil {
		m.state = msg.state
		for _, panel := range m.panels {
			if r, is := panel.(rewinder); is {
				r.rewound()
			}
		}
	}
	m.apply(msg.events)
	p.place = msg.place
	return m.seek(p.target)
}

// playOrPause plays from where it is, and from the beginning where that is the end.
func (m *screen) playOrPause() tea.Cmd {
	p := m.player
	if p.playing > 0 {
		p.playing = 0
		return nil
	}
	var back tea.Cmd
	if p.target == p.recording.Len() {
		back = m.moveTo(0)
	}
	p.plays++
	p.playing, p.ticked = p.plays, time.Time{}
	return tea.Batch(back, p.again())
}

func (p *player) again() tea.Cmd {
	times := p.playing
	return tea.Tick(playEvery, func(at time.Time) tea.Msg { return played{times, at} })
}

// played moves on by the time that passed.
func (m *screen) played(msg played) tea.Cmd {
	p := m.player
	if p.playing != msg.times {
		return nil
	}
	var cmd tea.Cmd
	if !p.ticked.IsZero() {
		cmd = m.moveBy(msg.at.Sub(p.ticked))
	}
	p.ticked = msg.at
	if p.target == p.recording.Len() {
		p.playing = 0
		return cmd
	}
	return tea.Batch(cmd, p.again())
}

// told is the position: the time, how long after the beginning, and the event.
func (p *player) told(s *scene) string {
	word := "RECORDING"
	if p.playing > 0 {
		word = "PLAYING"
	}
	return s.warnBold.Render(word) + fmt.Sprintf(" %s +%s %d/%d", prose.Clock(p.clock), p.clock.Sub(p.recording.Time(0)).Round(time.Second), p.target, p.recording.Len())
}
