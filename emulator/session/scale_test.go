package session_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

func TestTheStoryOfItsReplicasIsKept(t *testing.T) {
	facts := begin(
		event.Autoscaler{Class: "kpa", Metric: "rps", Target: 14, Max: 3, TimeScale: 1},
		event.PodChanged{Pod: "x", Phase: event.PhaseReady},
		event.Scaled{From: 1, Desired: 1, Ready: 1},
		event.Scaled{From: 1, Desired: 3, Ready: 1, Panic: true, Why: "a burst"},
		event.PodChanged{Pod: "y", Phase: event.PhaseWaiting},
		event.PodChanged{Pod: "z", Phase: event.PhaseReady},
	)
	s := fold(facts...).Models[0].Scale
	if s.Wanted != 3 || s.Ready != 2 || s.Mode != session.ModePanic || len(s.Decisions) != 2 || len(s.Changes) != 1 || s.Changes[0].Why != "a burst" {
		t.Errorf("scale is %+v", s)
	}
	facts = append(
		facts,
		event.Scaled{From: 3, Desired: 0, Ready: 3},
		event.PodChanged{Pod: "x", Phase: event.PhaseStopping},
		event.PodChanged{Pod: "z", Phase: event.PhaseStopped},
		event.Started{Pod: "x", Container: "c", Name: "n", Address: "a"},
		event.PhaseChanged{Phase: event.PhaseIdle},
		event.ColdStart{Pod: "q", Total: time.Second},
	)
	m := fold(facts...).Models[0]
	s = m.Scale
	if s.Wanted != 0 || s.Ready != 0 || s.Mode != session.ModeStable || len(s.ColdStarts) != 1 || s.ColdStarts[0].Total != time.Second || s.ColdStarts[0].At.IsZero() {
		t.Errorf("scale is %+v", s)
	}
	if m.ContainerID != "" || m.Container != "" || m.Replica != "" || m.StartedAt != nil {
		t.Errorf("a model at zero has a container: %+v", m)
	}
}

func TestThePastOfItsReplicasIsBounded(t *testing.T) {
	facts := begin(event.Autoscaler{})
	for i := range 50 {
		facts = append(facts, event.Scaled{From: i, Desired: i + 1}, event.ColdStart{Restarts: i})
	}
	s := fold(facts...).Models[0].Scale
	if len(s.Decisions) != 20 || len(s.Changes) != 20 || len(s.ColdStarts) != 20 || s.Changes[19].Desired != 50 || s.ColdStarts[0].Restarts != 30 {
		t.Errorf("scale is %+v", s)
	}
}

func TestAFixedNumberOfReplicasHasNoStory(t *testing.T) {
	m := fold(begin(event.Scaled{Desired: 1}, event.ColdStart{})...).Models[0]
	data, err := json.Marshal(m)
	if err != nil || m.Scale != nil {
		t.Errorf("%s, %v", data, err)
	}
}
