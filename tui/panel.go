package tui

import (
	"context"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/caraml-dev/merlin-local/emulator/session"
)

// scene is what panels draw: the state, the model that is looked at, and the time.
type scene struct {
	*theme
	state   *session.State
	model   *session.Model // nil before any is declared
	past    *session.Past  // the model's; nil where there is no model
	now     time.Time
	control Controller // nil where nothing can be done: a recording
	// recording is what is looked at instead of a session; nil where it is one.
	recording *session.Recording
	// focused tells that the panel being drawn has the keys.
	focused bool
}

// panel is a numbered part of the screen. All calls come from one goroutine.
type panel interface {
	// title names it; badge says what is special now, as "12 new", or nothing.
	title() string
	badge(s *scene) string
	// draw gives lines of a given width and height; fewer and shorter ones are filled up,
	// what is more is cut. Where the panel is small, the more important comes first.
	draw(s *scene, width, height int) []string
	// press handles a key, and tells whether it was one of the panel's.
	press(s *scene, msg tea.KeyMsg) (tea.Cmd, bool)
	// keys are those that press handles now, for the help and the bottom line.
	keys() []key.Binding
}

// What a panel may do besides.
type (
	// opener goes in at enter and back at esc; inside it takes the whole screen.
	opener interface {
		enter(s *scene) tea.Cmd
		// back tells whether there was something to go back from.
		back() bool
		inside() bool
	}
	// filterer shows only what a text chooses. An error says what is wrong with the
	// text, which is not applied then.
	filterer interface {
		filter() string
		setFilter(s *scene, text string) (tea.Cmd, error)
		filterHelp() string
	}
	// receiver takes the messages that its own commands end with.
	receiver interface {
		receive(s *scene, msg tea.Msg) tea.Cmd
	}
	// scroller moves by lines, downwards where they are positive: the mouse wheel.
	scroller interface {
		scroll(s *scene, lines int)
	}
	// rewinder makes anew what it keeps by places of the past, which is another one now: a
	// recording was wound back.
	rewinder interface{ rewound() }
	// typer takes every key while it is typing: a search's or an editor's line.
	typer interface{ typing() bool }
)

// said is shown at the bottom for a while: the outcome of an action.
type said struct {
	text string
	bad  bool
}

// do runs an action outside the screen's goroutine, and tells how it went.
func do(done string, action func(ctx context.Context) error) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := action(ctx); err != nil {
			return said{text: err.Error(), bad: true}
		}
		return said{text: done}
	}
}

// patience is how long an action may take before it is given up.
const patience = 30 * time.Second
