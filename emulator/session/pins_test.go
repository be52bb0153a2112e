package session

import (
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

func TestAModelKnowsHowItsPinsDoOnWhichRevision(t *testing.T) {
	var s State
	tell := func(revision int, f event.Fact) { s.Apply(event.Event{Model: "iris-1", Revision: revision, Fact: f}) }
	tell(0, event.Declared{Name: "iris", FullName: "iris-1"})
	tell(2, event.Pins{Verdicts: []event.PinVerdict{{Name: "a", Outcome: event.PinChanged, Why: "x: 1, was 2"}}})
	m := s.Model("iris-1")
	if m.Pins == nil || m.Pins.Revision != 2 || m.Pins.Verdicts[0].Why != "x: 1, was 2" {
		t.Fatalf("%+v", m.Pins)
	}
	before := s.Clone()
	tell(3, event.Pins{Error: "a.json: line 2: odd"})
	if m.Pins.Error == "" || len(m.Pins.Verdicts) != 0 {
		t.Errorf("%+v", m.Pins)
	}
	if tell(3, event.Pins{}); m.Pins != nil {
		t.Errorf("there are none any more: %+v", m.Pins)
	}
	if before.Model("iris-1").Pins.Revision != 2 {
		t.Error("a clone goes its own way")
	}
}
