package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/proxy"
)

// board runs a faultBoard of two models in a bubble, and notes what is told. What refuses
// names cannot be applied.
func board(t *testing.T, refuses string) (b *faultBoard, told func() []string, end func()) {
	t.Helper()
	var mu sync.Mutex
	var lines []string
	words := func(model string, on []fault) string {
		text := model
		for _, f := range on {
			text += " " + f.text
		}
		return text
	}
	b = newFaultBoard([]string{"a-1", "b-1"}, func(_ context.Context, model string, on []fault) error {
		if refuses != "" && strings.Contains(words(model, on), refuses) {
			return errors.New("it cannot be")
		}
		return nil
	}, func(model string, on []fault) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, words(model, on))
	})
	ctx, cancel := context.WithCancel(t.Context())
	go b.run(ctx)
	told = func() []string {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(lines)
	}
	return b, told, func() { cancel(); <-b.over }
}

// set asks for faults that there can be.
func set(t *testing.T, b *faultBoard, asked control.FaultRequest) {
	t.Helper()
	if err := b.ask(t.Context(), asked); err != nil {
		t.Error(err)
	}
}

func wants(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

func TestAFaultEndsAtItsTimeAndTheOthersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, told, end := board(t, "")
		defer end()
		set(t, b, control.FaultRequest{Model: "a-1", Set: []string{"drop"}})
		set(t, b, control.FaultRequest{Model: "a-1", Set: []string{"latency=1s"}, For: time.Minute})
		time.Sleep(time.Minute - time.Second)
		wants(t, told(), "a-1 drop", "a-1 drop latency=1s")
		time.Sleep(2 * time.Second)
		wants(t, told(), "a-1 drop", "a-1 drop latency=1s", "a-1 drop")
	})
}

func TestWhatCannotBeForOneModelIsForNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, told, end := board(t, "b-1 cpu")
		defer end()
		set(t, b, control.FaultRequest{Model: "a-1", Set: []string{"cpu=1"}})
		err := b.ask(t.Context(), control.FaultRequest{Set: []string{"cpu=100m"}})
		if err == nil || err.Error() != "b-1: it cannot be" {
			t.Errorf("got %v", err)
		}
		wants(t, told(), "a-1 cpu=1", "a-1 cpu=100m", "a-1 cpu=1")
	})
}

func TestAKillForOneRequestEndsWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, told, end := board(t, "")
		defer end()
		set(t, b, control.FaultRequest{Model: "b-1", Set: []string{"kill", "drop=5%"}})
		b.noteKill("b-1")
		wants(t, told(), "b-1 drop=5% kill", "b-1 drop=5%")
		set(t, b, control.FaultRequest{Model: "b-1", Set: []string{"kill=5%"}})
		b.noteKill("b-1") // one of a share ends nothing
		wants(t, told(), "b-1 drop=5% kill", "b-1 drop=5%", "b-1 drop=5% kill=5%")
	})
}

func TestAFaultOfNobodyAndAKindOfNothingAreErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, told, end := board(t, "")
		for _, asked := range []control.FaultRequest{{Model: "c-1", Set: []string{"drop"}}, {Set: []string{"slow"}}, {Clear: []string{"slow"}}} {
			if b.ask(t.Context(), asked) == nil {
				t.Errorf("%+v is no error", asked)
			}
		}
		wants(t, told())
		end()
		if b.ask(t.Context(), control.FaultRequest{Set: []string{"drop"}}) == nil {
			t.Error("nobody is there to do it, and it is no error")
		}
	})
}

func TestFaultsAreReadAsTheyAreWritten(t *testing.T) {
	var p proxy.Faults
	var s emulator.Sabotage
	specs, err := parseFaults([]string{"latency=200ms..1s:50%", "errors=503:0.5%", "drop=body:5%", "kill=1%", "probes=liveness", "cpu=1500m", "staging=2m"})
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range specs {
		spec.into(&p, &s)
	}
	var want proxy.Faults
	want.Latency.From, want.Latency.To, want.Latency.Share = 200*time.Millisecond, time.Second, 0.5
	want.Errors.Status, want.Errors.Share = 503, 0.005
	want.DropBody, want.Kill.Share = 0.05, 0.01
	if p != want || s != (emulator.Sabotage{Liveness: true, CPUMillis: 1500, Staging: 2 * time.Minute}) {
		t.Errorf("got %+v, %+v", p, s)
	}
}

func TestAShareAloneIsWrittenAsAnyOther(t *testing.T) {
	var p proxy.Faults
	specs, err := parseFaults([]string{"drop:5%", "kill:1%"})
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range specs {
		spec.into(&p, &emulator.Sabotage{})
	}
	if p.Drop != 0.05 || p.Kill.Share != 0.01 || p.Kill.Once {
		t.Errorf("got %+v", p)
	}
}

func FuzzFaults(f *testing.F) {
	for _, seed := range []string{"latency=1s", "latency=1s..2s:5%", "errors=500", "drop=body:1e1%", "cpu=1Ei", "kill=Inf%", "probes=", "staging=-1s", "=", ":"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		spec, err := parseFault(text)
		if err != nil {
			return
		}
		var p proxy.Faults
		var s emulator.Sabotage
		spec.into(&p, &s)
		if (p == proxy.Faults{}) == (s == emulator.Sabotage{}) {
			t.Errorf("%q does %+v and %+v", text, p, s)
		}
	})
}
