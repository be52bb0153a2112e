package tui

import (
	"bufio"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

var update = flag.Bool("update", false, "write the golden screens anew")

// TestMain has every time shown in UTC, as golden screens have them. It is set once: the
// timers of tests that are over still read it.
func TestMain(m *testing.M) {
	time.Local = time.UTC
	os.Exit(m.Run())
}

// testPatience is how long a test waits for what it expects.
const testPatience = 20 * time.Second

// driver is a screen without a terminal: keys go in, lines come out. Commands run as they
// do in the program, each in its own goroutine.
type driver struct {
	*testing.T
	screen   *screen
	messages chan tea.Msg
	quit     bool
}

// drive makes a screen of that size, which has seen the events.
func drive(t *testing.T, control Controller, width, height int, events []event.Event) *driver {
	t.Helper()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if n := len(events); n > 0 {
		now = events[n-1].Time
	}
	d := driveScreen(t, newScreen(Options{Control: control, Profile: termenv.Ascii, Now: func() time.Time { return now }}), width, height)
	d.send(arrived(events))
	return d
}

// driveScreen drives a screen as it is.
func driveScreen(t *testing.T, m *screen, width, height int) *driver {
	d := &driver{T: t, messages: make(chan tea.Msg, 100), screen: m}
	d.send(tea.WindowSizeMsg{Width: width, Height: height})
	return d
}

func (d *driver) send(msg tea.Msg) {
	if batch, is := msg.(tea.BatchMsg); is {
		for _, cmd := range batch {
			d.run(cmd)
		}
		return
	}
	if _, is := msg.(tea.QuitMsg); is {
		d.quit = true
		return
	}
	_, cmd := d.screen.Update(msg)
	d.run(cmd)
}

func (d *driver) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() {
		msg := cmd()
		select {
		case d.messages <- msg:
		case <-d.Context().Done():
		}
	}()
}

// keys presses keys by their names: "enter", "ctrl+c", "2"; a text is typed letter by
// letter where it begins with '"'.
func (d *driver) keys(names ...string) {
	d.Helper()
	for _, name := range names {
		if text, typed := strings.CutPrefix(name, `"`); typed {
			for _, r := range text {
				d.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}})
			}
			continue
		}
		d.send(keyMsg(name))
	}
}

// view is the screen as it is now, without colours; it is checked to be of its size.
func (d *driver) view() string {
	d.Helper()
	text := ansi.Strip(d.screen.View())
	lines := strings.Split(text, "\n")
	if len(lines) != d.screen.height {
		d.Errorf("the screen has %d lines of %d", len(lines), d.screen.height)
	}
	for i, line := range lines {
		if w := ansi.StringWidth(line); w != d.screen.width {
			d.Errorf("line %d is %d wide, not %d: %q", i+1, w, d.screen.width, line)
		}
	}
	return text
}

// await waits until the screen shows the text; messages of commands come in meanwhile.
func (d *driver) await(text string) string {
	d.Helper()
	return d.until(text, func(view string) bool { return strings.Contains(view, text) })
}

func (d *driver) until(what string, reached func(view string) bool) string {
	d.Helper()
	limit := time.After(testPatience)
	for {
		view := d.view()
		if reached(view) {
			return view
		}
		select {
		case msg := <-d.messages:
			d.send(msg)
		case <-limit:
			d.Fatalf("the screen never showed %q:\n%s", what, view)
		}
	}
}

// golden compares the screen with the one that is kept; -update keeps it.
func (d *driver) golden(name string) {
	d.Helper()
	golden(d.T, name, d.view())
}

// golden compares what is drawn with what is kept; -update keeps it.
func golden(t *testing.T, name, drawn string) {
	t.Helper()
	var text strings.Builder
	for line := range strings.SplitSeq(drawn, "\n") {
		text.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	path := filepath.Join("testdata", "golden", name+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test ./tui -update writes it)", err)
	}
	if text.String() != string(want) {
		t.Errorf("%s is\n%s\nwant\n%s", name, text.String(), want)
	}
}

// recording reads the events of testdata/NAME.jsonl: what `up -o json` wrote.
func recording(t *testing.T, name string) []event.Event {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var events []event.Event
	for decoder := json.NewDecoder(bufio.NewReader(file)); decoder.More(); {
		var e event.Event
		if err := decoder.Decode(&e); err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

// until keeps the events before the first that the function wants to stop at.
func before(events []event.Event, stop func(event.Event) bool) []event.Event {
	for i, e := range events {
		if stop(e) {
			return events[:i]
		}
	}
	return events
}

// iris are the first events of a session with one HTTP model; further facts follow it, a
// second after one another.
func iris(facts ...event.Fact) []event.Event {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	events := []event.Event{
		{Fact: event.Session{ID: "s", Version: "v1", Dir: "/repo", PID: 1, Runtime: "docker"}},
		{Model: "iris-1", Fact: event.Declared{Project: "sample", Name: "iris", Version: "1", FullName: "iris-1", Protocol: "HTTP_JSON", Host: "iris-1.sample.models.localhost"}},
		{Fact: event.Listening{Address: "127.0.0.1:8080", Metrics: "127.0.0.1:9091"}},
		{Model: "iris-1", Revision: 1, Fact: event.PhaseChanged{Phase: event.PhaseStarting}},
		{Model: "iris-1", Revision: 1, Fact: event.PodChanged{Pod: "abcde", Phase: event.PhaseStarting}},
		{Model: "iris-1", Revision: 1, Fact: event.Started{Pod: "abcde", Replica: "0123456789ab", Container: strings.Repeat("0", 64), Address: "172.17.0.2:8080", Reach: "address", CPULimit: "1", MemoryLimit: "512Mi"}},
		{Model: "iris-1", Revision: 1, Fact: event.PodChanged{Pod: "abcde", Phase: event.PhaseReady}},
		{Model: "iris-1", Revision: 1, Fact: event.Serving{Image: "sha256:aa", Sources: "2199f394"}},
		{Model: "iris-1", Revision: 1, Fact: event.PhaseChanged{Phase: event.PhaseReady}},
	}
	for _, f := range facts {
		events = append(events, event.Event{Model: "iris-1", Revision: 1, Fact: f})
	}
	for i := range events {
		events[i].Seq, events[i].Time = uint64(i+1), at.Add(time.Duration(i)*time.Second)
	}
	return events
}
