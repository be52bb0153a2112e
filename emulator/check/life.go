package check

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// life follows a replica's events. Its follow goroutine alone changes facts; others wait
// for them with await.
type life struct {
	running Running
	done    chan struct{} // closed when the following is over

	mu      sync.Mutex
	changed chan struct{} // closed at the next change
	facts   facts
}

// facts are what is known of a replica.
type facts struct {
	address  netip.AddrPort // of the last container
	started  time.Time      // the first container
	ready    bool
	readyAt  time.Time // first
	probes   []event.Probed
	exits    []event.Exited
	ends     []event.Terminated
	card     *event.Failed // the last; nil once it is ready
	certain  time.Time     // since when the card is one that is certain
	samples  int
	usage    event.Usage
	peak     int64
	limit    int64
	oomKills int
	refused  []string
	over     bool // it is gone
}

// follow begins to read the events; close waits for their end.
func follow(ctx context.Context, running Running) *life {
	l := &life{running: running, done: make(chan struct{}), changed: make(chan struct{})}
	go func() {
		defer close(l.done)
		for {
			// Not ctx: what ends it ends the replica, and that is to be seen.
			events, err := running.Next(context.WithoutCancel(ctx))
			l.take(events, err)
			if err != nil {
				return
			}
		}
	}()
	return l
}

func (l *life) take(events []event.Event, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range events {
		l.facts.apply(e)
	}
	l.facts.over = l.facts.over || err != nil
	close(l.changed)
	l.changed = make(chan struct{})
}

func (f *facts) apply(e event.Event) {
	switch fact := e.Fact.(type) {
	case event.Started:
		f.address, _ = netip.ParseAddrPort(fact.Address)
		if f.started.IsZero() {
			f.started = e.Time
		}
	case event.PhaseChanged:
		f.enter(fact.Phase, e.Time)
	case event.Probed:
		if f.readyAt.IsZero() && fact.Purpose == event.Readiness {
			f.probes = append(f.probes, fact)
		}
	case event.Exited:
		f.exits = append(f.exits, fact)
		f.ready = false
		if f.oomKills = max(f.oomKills, fact.OOMKills); fact.OOMKilled {
			f.oomKills = max(f.oomKills, 1)
		}
		f.peak = max(f.peak, fact.MemoryPeak)
	case event.Terminated:
		f.ends = append(f.ends, fact)
	case event.Failed:
		f.fail(fact, e.Time)
	case event.Usage:
		f.samples++
		f.usage = fact
		f.peak, f.limit = max(f.peak, fact.MemoryPeak), fact.MemoryLimit
	case event.OutOfMemory:
		f.oomKills++
	case event.Log:
		if fact.Source == event.LogModel && len(f.refused) < 3 && strings.Contains(strings.ToLower(fact.Text), "read-only file system") {
			f.refused = append(f.refused, fact.Text)
		}
	}
}

func (f *facts) enter(phase event.Phase, at time.Time) {
	f.ready = phase == event.PhaseReady
	if !f.ready {
		return
	}
	f.card, f.certain = nil, time.Time{}
	if f.readyAt.IsZero() {
		f.readyAt = at
	}
}

func (f *facts) fail(card event.Failed, at time.Time) {
	if card.Certainty == event.Certain && (f.certain.IsZero() || f.card.Cause != card.Cause) {
		f.certain = at
	}
	if card.Certainty != event.Certain {
		f.certain = time.Time{}
	}
	f.card = &card
}

// now is what is known.
func (l *life) now() facts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.facts
}

// await waits until it holds, and returns what is known then. It is false where ctx ends,
// the limit passes or the replica is gone before.
func (l *life) await(ctx context.Context, limit time.Duration, holds func(facts) bool) (facts, bool) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		l.mu.Lock()
		known, changed := l.facts, l.changed
		l.mu.Unlock()
		switch {
		case holds(known):
			return known, true
		case known.over:
			return known, false
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return known, false
		}
	}
}

// certainFor is how long a cause that is certain must hold before nobody waits any more: a
// model may yet mend it by itself.
const certainFor = 3 * time.Second

// becomesReady waits for readiness, for as long as there is hope.
func (l *life) becomesReady(ctx context.Context, deadline time.Duration) (facts, bool) {
	hopeless := func(f facts) bool { return !f.certain.IsZero() }
	end := time.Now().Add(deadline)
	for {
		known, _ := l.await(ctx, time.Until(end), func(f facts) bool { return f.ready || hopeless(f) })
		switch {
		case known.ready:
			return known, true
		case known.over || ctx.Err() != nil || !hopeless(known):
			return known, false
		}
		since := known.certain
		known, changed := l.await(ctx, min(certainFor, time.Until(end)), func(f facts) bool { return f.ready || f.certain != since })
		if !changed {
			return known, false
		}
	}
}

// start tells how the replica came up.
func (l *life) start(ctx context.Context, deadline time.Duration) *Start {
	known, ready := l.becomesReady(ctx, deadline)
	s := &Start{Ready: ready, Card: known.card, Probes: known.probes, Refused: known.refused}
	if ready {
		s.Took, s.Card = known.readyAt.Sub(known.started), nil
	}
	return s
}
