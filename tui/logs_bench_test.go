package tui

import (
	"fmt"
	"testing"
	"time"

	"github.com/muesli/termenv"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// BenchmarkLogsFollowed is a frame of the panel with 333 new lines of JSON: 5,000 lines a
// second at 15 frames.
func BenchmarkLogsFollowed(b *testing.B) {
	m := newScreen(Options{Profile: termenv.ANSI, Now: time.Now})
	m.width, m.height, m.focus, m.zoomed = 120, 40, logsPanel, true
	m.apply(iris())
	seq := uint64(1000)
	for b.Loop() {
		var events arrived
		for range 333 {
			seq++
			events = append(events, event.Event{Seq: seq, Time: time.Now(), Model: "iris-1", Fact: written(firstContainer, fmt.Sprintf(`{"ts":%d,"level":"info","logger":"model","msg":"predicted","rows":3,"took_ms":%d}`, 1767323045, seq))})
		}
		m.apply(events)
		m.scene()
		_ = m.panels[logsPanel].draw(m.scene(), 118, 30)
	}
}

// BenchmarkLogsChosen is one letter typed into the filter over 10,000 lines of JSON.
func BenchmarkLogsChosen(b *testing.B) {
	m := newScreen(Options{Profile: termenv.ANSI, Now: time.Now})
	m.width, m.height = 120, 40
	m.apply(iris())
	for i := range 10_000 {
		m.apply([]event.Event{{Seq: uint64(1000 + i), Time: time.Now(), Model: "iris-1", Fact: written(firstContainer, fmt.Sprintf(`{"ts":1767323045,"level":"info","msg":"predicted","took_ms":%d}`, i))}})
	}
	p := m.panels[logsPanel].(*logs)
	for b.Loop() {
		if _, err := p.setFilter(m.scene(), "took_ms=77"); err != nil {
			b.Fatal(err)
		}
	}
}
