//go:build unix

package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// announcer tells loads which save serves, as soon as the session tells anybody, and
// takes note of what goes wrong.
type announcer struct {
	loads   map[string][]*load // by model
	loading context.Context    // of the loads
	rest    context.CancelFunc // ends that
	saving  atomic.Pointer[saving]
	failed  atomic.Pointer[string]
	held    atomic.Int64 // requests that waited for a revision

	following sync.WaitGroup
}

// announce begins to follow the events of a session, until the test ends.
func (s *saves) announce(loads map[string][]*load) *announcer {
	a := &announcer{loads: loads}
	a.loading, a.rest = context.WithCancel(context.Background())
	ctx, stop := context.WithCancel(context.Background())
	a.following.Go(func() { a.follow(ctx, s.session) })
	s.t.Cleanup(func() {
		a.rest()
		stop()
		a.following.Wait()
	})
	return a
}

func (a *announcer) follow(ctx context.Context, from control.Session) {
	for e, err := range from.Events(ctx, control.Query{Skip: []string{"log", "step", "probed", "usage"}, Follow: true}) {
		if err != nil && ctx.Err() == nil {
			a.fail("the events ended: %v", err)
		}
		switch f := e.Fact.(type) {
		case event.Serving:
			a.heed(e, f)
		case event.Served:
			if f.Held > 0 {
				a.held.Add(1)
			}
		case event.Terminated:
			a.fail("a container of %s, revision %d, took a bad end: %+v", e.Model, e.Revision, f)
		case event.ReloadEnded:
			if f.Cancelled == "" {
				a.fail("the reload of %s to revision %d failed: %+v", e.Model, e.Revision, f.Card)
			}
		}
	}
}

// heed finds out of which save a revision is that serves: there is one at a time.
func (a *announcer) heed(e event.Event, f event.Serving) {
	if f.Tier == "" {
		return // the first revision, of the first save
	}
	now := a.saving.Load()
	if f.Tier != now.tier || f.File != now.file {
		a.fail("revision %d of %s serves by %q for %q after the save %+v", e.Revision, e.Model, f.Tier, f.File, now)
		return
	}
	for _, l := range a.loads[e.Model] {
		l.announce(now.number)
	}
}

func (a *announcer) fail(format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	a.failed.CompareAndSwap(nil, &what)
}

// trouble is the first thing that went wrong, in the session or with any load.
func (a *announcer) trouble() string {
	if what := a.failed.Load(); what != nil {
		return *what
	}
	for _, loads := range a.loads {
		for _, l := range loads {
			if what := l.first.Load(); what != nil {
				return *what
			}
		}
	}
	return ""
}

// answered tells whether the save was announced to every load and, by as many answers as
// that wants, answers what was asked since.
func (a *announcer) answered(now *saving) bool {
	for _, loads := range a.loads {
		for _, l := range loads {
			if l.announced.Load() < now.number || l.fresh.Load() < l.wanted {
				return false
			}
		}
	}
	return true
}

// reload saves, waits until the new code answers, and compares with what status tells.
func (s *saves) reload(a *announcer, now *saving) {
	s.t.Helper()
	a.saving.Store(now)
	s.save(now)
	s.awaitAnswers(a, now)
	for _, m := range s.status().Models {
		if r := m.LastReload(); m.Serving.Tier != now.tier || m.Stale != nil || r.State != session.ReloadServes || r.Plan.File != now.file {
			s.t.Errorf("after the save %+v status tells of %s: serving %+v, stale %+v, last reload %+v", *now, m.ID, m.Serving, m.Stale, r)
		}
	}
}

func (s *saves) awaitAnswers(a *announcer, now *saving) {
	s.t.Helper()
	await(s.t, fmt.Sprintf("the save %+v answers", *now), func() bool {
		if what := a.trouble(); what != "" {
			s.t.Fatalf("at the save %+v: %s", *now, what)
		}
		return a.answered(now)
	})
}

// end ends the loads, lets their requests finish and tells what came of them.
func (a *announcer) end(t *testing.T) {
	t.Helper()
	a.rest()
	for _, loads := range a.loads {
		for _, l := range loads {
			l.running.Wait()
			t.Log(l)
		}
	}
	if what := a.trouble(); what != "" {
		t.Error(what)
	}
}
