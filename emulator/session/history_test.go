package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// remembering is a state with a history and one model.
func remembering() *session.State {
	s := &session.State{}
	s.Remember()
	s.Apply(event.Event{Fact: event.Session{}})
	s.Apply(event.Event{Model: "iris-1", Fact: event.Declared{Name: "iris", FullName: "iris-1"}})
	return s
}

func TestAHistoryIsBoundedByBytesAndTellsHowMuchThereWas(t *testing.T) {
	s := remembering()
	line := strings.Repeat("x", 1<<20)
	for i := range 40 {
		s.Apply(event.Event{Model: "iris-1", Fact: event.Log{Text: fmt.Sprintf("%d %s", i, line)}})
	}
	logs := &s.History.Logs
	if logs.End() != 40 || logs.Bytes() > 16<<20 || logs.Len() != 15 || logs.First() != 25 {
		t.Errorf("kept %d of %d lines, %d bytes, from %d", logs.Len(), logs.End(), logs.Bytes(), logs.First())
	}
	for place := logs.First(); place < logs.End(); place++ {
		if text := logs.At(place).Fact.(event.Log).Text; !strings.HasPrefix(text, fmt.Sprint(place)+" ") {
			t.Errorf("at %d is %q", place, text[:10])
		}
	}
	for range 100_000 {
		s.Apply(event.Event{Model: "iris-1", Fact: event.Served{Path: "/v1/models/iris-1:predict"}})
	}
	if r := &s.History.Requests; r.End() != 100_000 || r.Len() > 20_000 || r.Bytes() > 8<<20 || r.Len() < 10_000 {
		t.Errorf("kept %d of %d requests, %d bytes", r.Len(), r.End(), r.Bytes())
	}
}

func TestASecondHoldsTheLatestNumbersAndItsOwnErrors(t *testing.T) {
	s := remembering()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tell := func(after time.Duration, rate float64, errors uint64) {
		s.Apply(event.Event{Time: at.Add(after), Model: "iris-1", Fact: event.Traffic{Rate: rate, Errors: errors}})
	}
	tell(0, 1, 2)
	tell(500*time.Millisecond, 2, 5)
	tell(3*time.Second, 3, 6)
	seconds := &s.History.Of("iris-1").Seconds
	if seconds.Len() != 2 {
		t.Fatalf("there are %d entries", seconds.Len())
	}
	first, second := seconds.At(0), seconds.At(1)
	if first.Rate != 2 || first.Failed != 3 || !first.At.Equal(at) || second.Failed != 1 || !second.At.Equal(at.Add(3*time.Second)) {
		t.Errorf("they are %+v and %+v", first, second)
	}
}

func TestABuildHoldsEachStepAsItWasToldLast(t *testing.T) {
	s := remembering()
	step := func(revision int, id string, state event.StepState) {
		s.Apply(event.Event{Model: "iris-1", Revision: revision, Fact: event.Step{Stage: event.StageBuild, ID: id, State: state}})
	}
	step(1, "a", event.StepStarted)
	step(1, "b", event.StepStarted)
	step(1, "a", event.StepDone)
	step(2, "a", event.StepFailed)
	builds := s.History.Of("iris-1").Builds
	if len(builds) != 2 || len(builds[0].Steps) != 2 || builds[0].Steps[0].State != event.StepDone || builds[1].Steps[0].State != event.StepFailed {
		t.Errorf("builds are %+v", builds)
	}
	if s.History.Happenings.Len() != 1 {
		t.Errorf("a failed step alone is a happening; there are %d", s.History.Happenings.Len())
	}
}

func TestAStateRemembersNothingUnlessAsked(t *testing.T) {
	var s session.State
	s.Apply(event.Event{Fact: event.Session{}})
	if s.History != nil {
		t.Error("it does")
	}
}
