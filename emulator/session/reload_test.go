package session_test

import (
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// revised applies facts of revisions, a second apart.
func revised(facts ...revisionFact) *session.Model {
	s := fold(begin()...)
	at := time.Date(2026, 1, 2, 4, 0, 0, 0, time.UTC)
	for i, f := range facts {
		s.Apply(event.Event{Time: at.Add(time.Duration(i) * time.Second), Model: "iris-1", Revision: f.revision, Fact: f.fact})
	}
	return s.Models[0]
}

type revisionFact struct {
	revision int
	fact     event.Fact
}

func TestARevisionIsBehindFromTheFirstEditUntilALaterOneServes(t *testing.T) {
	facts := []revisionFact{
		{1, event.Serving{Image: "sha256:1", Sources: "aa"}},
		{1, event.Edited{Files: []string{"README.md"}, Tier: event.TierNone}},
		{1, event.Edited{Files: []string{"app.py"}, Tier: event.TierSync, File: "app.py"}},
		{2, event.Reloading{Tier: event.TierSync, File: "app.py"}},
		{2, event.ReloadEnded{Tier: event.TierSync, Card: &event.Failed{What: "it exited"}, Took: time.Second}},
		{1, event.Edited{Files: []string{"app.py", "b.py"}, Tier: event.TierSync, File: "b.py"}},
	}
	m := revised(facts...)
	if m.Serving.Number != 1 || m.Stale == nil || m.Stale.Since.Second() != 2 || len(m.Stale.Files) != 2 {
		t.Errorf("serving %+v, stale %+v", m.Serving, m.Stale)
	}
	if r := m.LastReload(); r.State != session.ReloadFailed || r.Failure.What != "it exited" || r.Ended == nil {
		t.Errorf("the reload is %+v", r)
	}
	m = revised(append(
		facts,
		revisionFact{3, event.Reloading{Tier: event.TierSync, File: "b.py"}},
		revisionFact{3, event.Serving{Image: "sha256:1", Sources: "bb", Tier: event.TierSync, Took: time.Second}},
	)...)
	if m.Serving.Number != 3 || m.Serving.Sources != "bb" || m.Stale != nil {
		t.Errorf("serving %+v, stale %+v", m.Serving, m.Stale)
	}
	if r := m.LastReload(); r.State != session.ReloadServes || r.Took != time.Second {
		t.Errorf("the reload is %+v", r)
	}
}

func TestTheModelsContainerIsThatOfTheRevisionThatServes(t *testing.T) {
	facts := []revisionFact{
		{1, event.PodChanged{Pod: "a", Phase: event.PhaseStarting}},
		{1, event.Started{Pod: "a", Container: "one"}},
		{1, event.Serving{}},
		{2, event.PodChanged{Pod: "b", Phase: event.PhaseStarting}},
		{2, event.Started{Pod: "b", Container: "two"}},
	}
	if m := revised(facts...); m.ContainerID != "one" || m.Pods[1].Revision != 2 {
		t.Errorf("the container is %s, the second pod %+v", m.ContainerID, m.Pods[1])
	}
	if m := revised(append(facts, revisionFact{2, event.Serving{}})...); m.ContainerID != "two" {
		t.Errorf("the container is %s", m.ContainerID)
	}
}

func TestACancelledReloadSaysWhy(t *testing.T) {
	m := revised(
		revisionFact{2, event.Reloading{Tier: event.TierRebuild}},
		revisionFact{2, event.ReloadEnded{Tier: event.TierRebuild, Cancelled: "a newer edit"}},
		revisionFact{3, event.Reloading{Tier: event.TierRebuild}},
	)
	if m.Reloads[0].State != session.ReloadCancelled || m.Reloads[0].Cancelled != "a newer edit" || m.LastReload().State != session.ReloadRuns {
		t.Errorf("reloads are %+v, %+v", m.Reloads[0], m.Reloads[1])
	}
}

func TestTheLastReloadsAreKept(t *testing.T) {
	var facts []revisionFact
	for i := range 50 {
		facts = append(facts, revisionFact{i + 2, event.Reloading{}})
	}
	m := revised(facts...)
	if len(m.Reloads) != 20 || m.LastReload().Revision != 51 {
		t.Errorf("%d are kept, the last is %d", len(m.Reloads), m.LastReload().Revision)
	}
}
