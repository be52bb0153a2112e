package tui

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// monkey presses keys and resizes the screen at random while a recorded session runs.
type monkey struct {
	*driver
	random *rand.Rand
	events []event.Event // yet to come
	done   []string      // the last that it did
}

// someKeys are pressed as often as they are here.
const someKeys = "1234561234561234zzZjkhlgGnNrpmcywfstJRSBPCYbdvoOL[]/:?,.<> ~!&|()5x#"

var someNames = []string{"enter", "enter", "esc", "esc", "esc", "up", "down", "left", "right", "pgup", "pgdown", "home", "end", "tab", "shift+tab", "backspace"}

func (m *monkey) act() {
	switch n := m.random.IntN(40); {
	case n < 2:
		w, h := 1+m.random.IntN(240), 1+m.random.IntN(80)
		m.note(fmt.Sprintf("%dx%d", w, h))
		m.resize(w, h)
	case n < 18:
		name := someNames[m.random.IntN(len(someNames))]
		m.note(name)
		m.keys(name)
	case n < 22 && len(m.events) > 0:
		some := min(len(m.events), 1+m.random.IntN(30))
		m.note(fmt.Sprintf("%d events", some))
		m.send(arrived(m.events[:some]))
		m.events = m.events[some:]
	case n < 23:
		m.note("wheel")
		m.send(tea.MouseMsg{X: m.random.IntN(200), Y: m.random.IntN(60), Button: tea.MouseButtonWheelUp + tea.MouseButton(m.random.IntN(2)), Action: tea.MouseActionPress})
	default:
		key := string(someKeys[m.random.IntN(len(someKeys))])
		m.note(key)
		m.keys(`"` + key)
	}
	for pending := true; pending; {
		select {
		case msg := <-m.messages:
			m.send(msg)
		default:
			pending = false
		}
	}
	m.view()
}

func (m *monkey) note(what string) {
	m.done = append(m.done, what)
	if len(m.done) > 60 {
		m.done = slices.Delete(m.done, 0, 1)
	}
}

// TestRandomKeysNeverBreakTheScreen looks for what no test thought of; a seed that found
// something is worth a test of its own.
func TestRandomKeysNeverBreakTheScreen(t *testing.T) {
	for _, name := range []string{"serving", "crash", "reload", "several", "traceback", "zero"} {
		t.Run(name, func(t *testing.T) {
			seed := rand.Uint64()
			events, control := recording(t, name), &hands{exchanges: map[uint64]event.Exchange{}}
			t.Chdir(t.TempDir()) // it exports requests too, under any names
			for _, e := range events {
				if x, is := e.Fact.(event.Exchange); is {
					control.exchanges[x.ID] = x
				}
			}
			m := &monkey{driver: drive(t, control, 120, 40, events[:len(events)/4]), random: rand.New(rand.NewPCG(seed, 0)), events: events[len(events)/4:]}
			sound := false
			defer func() { // after a panic too
				if !sound || t.Failed() {
					t.Logf("seed %d, the last that was done: %s", seed, strings.Join(m.done, " "))
				}
			}()
			for range actsOf(t) {
				m.act()
			}
			sound = true
		})
	}
}

// actsVariable says how much the monkey does in each session; without it, 1,000 acts.
const actsVariable = "MERLIN_LOCAL_ACTS"

func actsOf(t *testing.T) int {
	text := os.Getenv(actsVariable)
	if text == "" {
		return 1000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
