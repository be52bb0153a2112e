package tui

import (
	"fmt"
	"slices"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// goldenSizes are those of the golden screens of recorded sessions.
var goldenSizes = []struct{ width, height int }{{80, 24}, {120, 40}, {200, 60}}

// moment is a place in a recording of testdata, which `make recordings` makes.
type moment struct {
	name, recording string
	n               int                    // the screen is looked at before the n-th event
	such            func(event.Event) bool // of this kind
	keys            []string
	shows           string // what is on the screen then
}

// nth is the n-th event that is such a one.
func nth(n int, such func(event.Event) bool) func(event.Event) bool {
	return func(e event.Event) bool {
		is := such(e)
		if is {
			n--
		}
		return is && n == 0
	}
}

// readyPod is a pod that has become ready, of which its model knows nothing yet.
func readyPod(e event.Event) bool {
	f, is := e.Fact.(event.PodChanged)
	return is && f.Phase == event.PhaseReady
}

// ending is the first sign of the session's end.
func ending(e event.Event) bool {
	f, is := e.Fact.(event.PhaseChanged)
	return is && (f.Phase == event.PhaseStopping || f.Phase == event.PhaseStopped)
}

// endingOfCrashes is that of a session with a model that waits in back-off: its pod goes
// first.
func endingOfCrashes(e event.Event) bool {
	f, is := e.Fact.(event.PodChanged)
	return is && f.Phase == event.PhaseStopped || ending(e)
}

func reloading(e event.Event) bool {
	_, is := e.Fact.(event.Reloading)
	return is
}

func moments() []moment {
	return []moment{
		{"starting", "traceback", 1, readyPod, nil, "WAITING"},
		{"serving", "serving", 1, ending, []string{"2"}, "READY"},
		{"request", "serving", 1, ending, []string{"2", "/", `"~c 4xx`, "enter", "enter"}, "instances[0] has 3 values"},
		{"crash", "crash", 1, endingOfCrashes, nil, "CrashLoopBackOff"},
		{"reload", "reload", 2, reloading, nil, "RELOAD FAILED"},
		{"traceback", "traceback", 2, reloading, nil, "NameError"},
		{"zero", "zero", 1, ending, nil, "IDLE"},
		{"several", "several", 1, endingOfCrashes, []string{"]"}, "eta-1"},
		{"several-broken", "several", 1, endingOfCrashes, []string{"["}, "CrashLoopBackOff"},
	}
}

// events are those before the moment.
func (m moment) events(t *testing.T) []event.Event {
	t.Helper()
	return before(recording(t, m.recording), nth(m.n, m.such))
}

// resize makes the screen of that size.
func (d *driver) resize(width, height int) {
	d.send(tea.WindowSizeMsg{Width: width, Height: height})
}

func TestGoldenScreensOfRecordedSessions(t *testing.T) {
	for _, m := range moments() {
		for _, size := range goldenSizes {
			name := fmt.Sprintf("recorded-%s-%dx%d", m.name, size.width, size.height)
			t.Run(name, func(t *testing.T) {
				d := replay(t, m.events(t), "")
				d.resize(size.width, size.height)
				d.keys(m.keys...)
				d.await(m.shows)
				d.golden(name)
			})
		}
	}
}

// A session that runs offers more than one that is over.
func TestGoldenScreensOfSessionsThatRun(t *testing.T) {
	for _, m := range moments() {
		name := fmt.Sprintf("live-%s-80x24", m.name)
		t.Run(name, func(t *testing.T) {
			events, control := m.events(t), &hands{exchanges: map[uint64]event.Exchange{}}
			for _, e := range events {
				if x, is := e.Fact.(event.Exchange); is {
					control.exchanges[x.ID] = x
				}
			}
			events = slices.DeleteFunc(events, func(e event.Event) bool { _, is := e.Fact.(event.Exchange); return is })
			d := drive(t, control, 80, 24, events)
			d.keys(m.keys...)
			d.await(m.shows)
			d.golden(name)
		})
	}
}

func TestGoldenScreensThatAreTooSmall(t *testing.T) {
	for _, recorded := range []string{"serving", "several"} {
		for _, size := range []struct{ width, height int }{{59, 24}, {40, 10}, {80, 15}, {12, 4}} {
			name := fmt.Sprintf("recorded-%s-%dx%d", recorded, size.width, size.height)
			t.Run(name, func(t *testing.T) {
				d := replay(t, before(recording(t, recorded), endingOfCrashes), "")
				d.resize(size.width, size.height)
				d.golden(name)
			})
		}
	}
}
