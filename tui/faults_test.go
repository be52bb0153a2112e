package tui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// late is a fault that is on.
func late() event.Faults {
	return event.Faults{On: []event.Fault{{Kind: "latency", Spec: "latency=200ms", Since: time.Unix(1, 0)}}}
}

func TestFaultsAreInTheHeaderWhileTheyAreOn(t *testing.T) {
	const badge = "FAULTS latency=200ms"
	if d := drive(t, &hands{}, 120, 40, iris(late())); !strings.Contains(d.view(), badge) {
		t.Errorf("no badge in\n%s", d.view())
	}
	if d := drive(t, &hands{}, 120, 40, iris(late(), event.Faults{On: []event.Fault{}})); strings.Contains(d.view(), badge) {
		t.Errorf("a badge in\n%s", d.view())
	}
}

func TestFaultsThatWereOnAreInTheSummary(t *testing.T) {
	state := &session.State{}
	for _, e := range iris(late(), event.Faults{On: []event.Fault{}}) {
		state.Apply(e)
	}
	if text := Summary(state); !strings.Contains(text, "FAULTS were on: latency=200ms") {
		t.Errorf("got %s", text)
	}
}

func TestARequestThatAFaultHitSaysSo(t *testing.T) {
	hit, other := irisServed(1, 503, time.Second), irisServed(2, 200, time.Second)
	hit.Fault = "errors 503"
	d := drive(t, &hands{}, 160, 40, iris(hit, other))
	d.keys("2", "z")
	if d.await("FAULT errors 503"); strings.Count(d.view(), "POST /v1/models/iris-1:predict") != 2 {
		t.Errorf("not both requests are in\n%s", d.view())
	}
	d.keys("/", `"~f`, "enter")
	if n := strings.Count(d.view(), "POST /v1/models/iris-1:predict"); !strings.Contains(d.view(), "FAULT errors 503") || n != 1 {
		t.Errorf("~f chose %d:\n%s", n, d.view())
	}
	d.keys("enter")
	d.await("FAULT on request: errors 503")
}

func TestFaultsAreSetAndEndedByKeys(t *testing.T) {
	h := &hands{}
	d := drive(t, h, 120, 40, iris(late()))
	d.keys("F", `"drop=5% kill`, "enter")
	d.await("faults of iris-1 set")
	d.keys("X")
	d.await("no faults any more on iris-1")
	d.keys("F", "enter", "F", `"drop`, "esc") // nothing is asked for
	h.mu.Lock()
	defer h.mu.Unlock()
	if want := []string{"fault iris-1 drop=5% kill", "fault iris-1"}; !slices.Equal(h.asked, want) {
		t.Errorf("asked for %q, want %q", h.asked, want)
	}
}
