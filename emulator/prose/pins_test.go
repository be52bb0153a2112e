package prose_test

import (
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
)

func TestPinsAreToldWithWhyOneDoesNotPass(t *testing.T) {
	pass := event.PinVerdict{Name: "a", Outcome: event.PinPass, Took: 12 * time.Millisecond}
	changed := event.PinVerdict{Name: "b", Outcome: event.PinChanged, Why: "p.0: 1, was \x1b[31m2", Differences: 3}
	failed := event.PinVerdict{Name: "c", Outcome: event.PinFailed, Why: "it answers 500 Internal Server Error", Differences: 1}
	for want, f := range map[string]event.Pins{
		"no request is pinned any more": {},
		"pins: 1 passes":                {Verdicts: []event.PinVerdict{pass}},
		"pins: 2 pass, 1 changed, 1 failed\n  b changed: p.0: 1, was 2, and 2 more\n  c FAILED: it answers 500 Internal Server Error": {Verdicts: []event.PinVerdict{pass, pass, changed, failed}},
		"pins: some cannot be read\n  one\n  two": {Error: "one\ntwo"},
	} {
		if got := prose.Happening(event.Event{Fact: f}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := prose.Pin(pass); got != "a passes in 12ms" {
		t.Errorf("got %q", got)
	}
}
