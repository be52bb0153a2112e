package session_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// fold applies facts a second apart.
func fold(facts ...event.Fact) *session.State {
	var s session.State
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i, f := range facts {
		model := "iris-1"
		switch f.(type) {
		case event.Session, event.Listening, event.Engine, event.Ended:
			model = ""
		}
		s.Apply(event.Event{Seq: uint64(i + 1), Time: at.Add(time.Duration(i) * time.Second), Model: model, Revision: 1, Fact: f})
	}
	return &s
}

func begin(more ...event.Fact) []event.Fact {
	return append([]event.Fact{
		event.Session{ID: "s", Runtime: "docker"},
		event.Declared{Project: "sample", Name: "iris", Version: "1", FullName: "iris-1", Protocol: "HTTP_JSON", Host: "iris-1.sample.localhost"},
		event.Listening{Address: "127.0.0.1:8080"},
	}, more...)
}

func TestAModelThatServesTellsWhereAndSinceWhen(t *testing.T) {
	s := fold(begin(
		event.PhaseChanged{Phase: event.PhaseStarting},
		event.Started{Container: "abc", Name: "ml-iris", Image: "sha256:1", MemoryLimit: "1000Mi"},
		event.PhaseChanged{Phase: event.PhaseReady},
	)...)
	m := s.Models[0]
	want := session.URLs{
		Base: "http://127.0.0.1:8080", Host: "iris-1.sample.localhost",
		Predict: "http://127.0.0.1:8080/v1/models/iris-1:predict",
	}
	if m.URLs != want {
		t.Errorf("urls are %+v", m.URLs)
	}
	if !s.Ready() || m.ContainerID != "abc" || m.ImageID != "sha256:1" || m.Restarts != 0 {
		t.Errorf("model is %+v", m)
	}
	if m.ReadyAt == nil || m.ReadyAt.Sub(*m.StartedAt) != time.Second {
		t.Errorf("started at %v, ready at %v", m.StartedAt, m.ReadyAt)
	}
}

func TestAUPIModelIsReachedByAGRPCTarget(t *testing.T) {
	s := fold(
		event.Session{}, event.Listening{Address: "127.0.0.1:9"},
		event.Declared{Name: "iris", FullName: "iris-1", Protocol: "UPI_V1"},
	)
	if urls := s.Models[0].URLs; urls.GRPC != "127.0.0.1:9" || urls.Predict != "" {
		t.Errorf("urls are %+v", urls)
	}
}

func TestARestartIsCountedAndNotReady(t *testing.T) {
	s := fold(begin(
		event.PodChanged{Pod: "x", Phase: event.PhaseStarting},
		event.Started{Pod: "x", Container: "a"},
		event.PodChanged{Pod: "x", Phase: event.PhaseReady},
		event.PhaseChanged{Phase: event.PhaseReady},
		event.Exited{Pod: "x", Code: 137, OOMKilled: true},
		event.PodChanged{Pod: "x", Phase: event.PhaseBackOff},
		event.PhaseChanged{Phase: event.PhaseBackOff, Why: "exited"},
		event.PodChanged{Pod: "x", Phase: event.PhaseStarting, Restarts: 1},
		event.Started{Pod: "x", Container: "b"},
	)...)
	m := s.Models[0]
	if p := m.Pods[0]; p.Phase != event.PhaseStarting || p.Restarts != 1 || p.ContainerID != "b" || p.ReadyAt != nil || !p.LastExit.OOMKilled {
		t.Errorf("pod is %+v", p)
	}
	if s.Ready() || m.ReadyAt != nil || m.Restarts != 1 || m.ContainerID != "b" || !m.LastExit.OOMKilled {
		t.Errorf("model is %+v", m)
	}
}

func TestAFailureStaysUntilTheModelIsReady(t *testing.T) {
	failed := begin(event.Failed{What: "died"}, event.PhaseChanged{Phase: event.PhaseFailed})
	if m := fold(failed...).Models[0]; m.Failure == nil || m.Failure.What != "died" {
		t.Errorf("model is %+v", m)
	}
	if m := fold(append(failed, event.PhaseChanged{Phase: event.PhaseReady})...).Models[0]; m.Failure != nil {
		t.Errorf("failure is %+v", m.Failure)
	}
}

func TestTheEndIsKept(t *testing.T) {
	if s := fold(begin(event.Ended{Error: "why"})...); !s.Ended || s.Error != "why" {
		t.Errorf("state is %+v", s)
	}
}

func TestAModelIsFoundByEveryNameThatIsPlain(t *testing.T) {
	s := fold(begin()...)
	for _, name := range []string{"iris", "iris-1"} {
		if s.Model(name) == nil {
			t.Errorf("%q is not found", name)
		}
	}
	s.Apply(event.Event{Model: "iris-2", Fact: event.Declared{Name: "iris", FullName: "iris-2-r1"}})
	if s.Model("iris") != nil {
		t.Error("one of two versions was chosen")
	}
	if m := s.Model("iris-2-r1"); m == nil || m.ID != "iris-2" {
		t.Errorf("full name gives %+v", m)
	}
}

func TestAnEventOfNobodyChangesNothing(t *testing.T) {
	s := fold(begin()...)
	before, _ := json.Marshal(s)
	s.Apply(event.Event{Model: "other-1", Fact: event.PhaseChanged{Phase: event.PhaseFailed}})
	if after, _ := json.Marshal(s); string(after) != string(before) {
		t.Errorf("state became %s", after)
	}
}

func TestAStateBeforeAnyModelIsAnEmptyList(t *testing.T) {
	data, err := json.Marshal(fold(event.Session{}).Models)
	if err != nil || string(data) != "[]" {
		t.Errorf("got %s, %v", data, err)
	}
}

func TestTheLatestOfTheCaptureIsKept(t *testing.T) {
	s := fold(begin(event.Capture{Kept: 1}, event.Capture{Kept: 2, Most: 9})...)
	if got := s.Capture; got == nil || *got != (event.Capture{Kept: 2, Most: 9}) {
		t.Errorf("capture is %+v", got)
	}
}

func TestTheLatestTrafficOfAModelIsKept(t *testing.T) {
	s := fold(begin(event.Traffic{Requests: 1}, event.Traffic{Requests: 2, Errors: 1})...)
	if got := s.Models[0].Traffic; got == nil || *got != (event.Traffic{Requests: 2, Errors: 1}) {
		t.Errorf("traffic is %+v", got)
	}
}

func TestPodsComeAndGoAndKeepWhatTheyWereAsked(t *testing.T) {
	deadline := time.Date(2026, 1, 2, 3, 14, 0, 0, time.UTC)
	facts := begin(
		event.Deploying{Deadline: deadline},
		event.PodChanged{Pod: "x", Phase: event.PhaseWaiting},
		event.PodChanged{Pod: "y", Phase: event.PhaseWaiting},
		event.Probed{Pod: "y", Purpose: event.Readiness, Outcome: "503"},
		event.Probed{Pod: "y", Purpose: event.Liveness, Outcome: "200 OK", OK: true},
	)
	m := fold(facts...).Models[0]
	if len(m.Pods) != 2 || m.Pods[1].Readiness.Outcome != "503" || m.Pods[1].Liveness.Outcome != "200 OK" || m.LastProbe.Outcome != "503" {
		t.Errorf("pods are %+v", m.Pods)
	}
	if m.Deadline == nil || *m.Deadline != deadline {
		t.Errorf("deadline is %v", m.Deadline)
	}
	m = fold(append(facts, event.PodChanged{Pod: "x", Phase: event.PhaseStopped}, event.PhaseChanged{Phase: event.PhaseReady})...).Models[0]
	if len(m.Pods) != 1 || m.Pods[0].Name != "y" || m.Deadline != nil {
		t.Errorf("model is %+v", m)
	}
}

func TestTheUseOfAModelIsTheSumOfItsPodsWhichRun(t *testing.T) {
	facts := begin(
		event.PodChanged{Pod: "x", Phase: event.PhaseReady},
		event.PodChanged{Pod: "y", Phase: event.PhaseReady},
		event.Usage{Pod: "x", CPU: 0.5, Memory: 10, MemoryPeak: 12, MemoryLimit: 100, PIDs: 1},
		event.Usage{Pod: "y", CPU: 1, Memory: 20, MemoryPeak: 20, MemoryLimit: 100, PIDs: 2},
		event.Usage{Pod: "gone", Memory: 1000},
	)
	m := fold(facts...).Models[0]
	if want := (session.Usage{CPU: 1.5, Memory: 30, MemoryPeak: 30, MemoryLimit: 200, PIDs: 3}); *m.Usage != want {
		t.Errorf("usage is %+v, want %+v", *m.Usage, want)
	}
	m = fold(append(facts, event.Exited{Pod: "y"})...).Models[0]
	if want := (session.Usage{CPU: 0.5, Memory: 10, MemoryPeak: 30, MemoryLimit: 100, PIDs: 1}); *m.Usage != want || m.Pods[1].Usage != nil {
		t.Errorf("after an exit it is %+v, want %+v", *m.Usage, want)
	}
	m = fold(append(facts, event.PodChanged{Pod: "x", Phase: event.PhaseStopped})...).Models[0]
	if m.Usage.Memory != 20 || m.Usage.MemoryPeak != 30 {
		t.Errorf("after a pod has gone it is %+v", *m.Usage)
	}
}

func TestKillsForMemoryAreCountedOverAllRestarts(t *testing.T) {
	m := fold(begin(
		event.PodChanged{Pod: "x", Phase: event.PhaseReady},
		event.OutOfMemory{Pod: "x", Kills: 1},
		event.OutOfMemory{Pod: "x", Kills: 2},
		event.Exited{Pod: "x", Code: 137, OOMKilled: true, OOMKills: 3},
		event.OutOfMemory{Pod: "x", Kills: 1},
	)...).Models[0]
	if got := m.Pods[0].OOMKills; got != 4 {
		t.Errorf("%d kills", got)
	}
}

func TestBadEndsOfAModelAreCounted(t *testing.T) {
	m := fold(begin(
		event.Terminated{Pod: "x", Killed: true, Cut: 2},
		event.Terminated{Pod: "y", Cut: 1},
	)...).Models[0]
	if m.Killed != 1 || m.RequestsCut != 3 {
		t.Errorf("killed %d, cut %d", m.Killed, m.RequestsCut)
	}
}

func TestAnEngineThatIsAwayIsKnownUntilItAnswers(t *testing.T) {
	facts := begin(event.Engine{Error: "connection refused"})
	if s := fold(facts...); s.EngineTrouble != "connection refused" {
		t.Errorf("trouble is %q", s.EngineTrouble)
	}
	if s := fold(append(facts, event.Engine{Answers: true})...); s.EngineTrouble != "" {
		t.Errorf("trouble is %q", s.EngineTrouble)
	}
}
