//go:build unix

package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// A revision waits for streams as long as a request may take: so long is the timeout.
const underLoad = `project: proof
models:
  - { model: http, protocol: HTTP_JSON, timeout: 8, ` + savedModel + ` }
  - { model: upi, protocol: UPI_V1, timeout: 8, ` + savedModel + ` }
`

// openStreams are open all the time, on connections of two.
const openStreams = 8

func TestReloadsOfEveryTierUnderLoadLoseNoRequestAndNoAnswerIsOfOlderCode(t *testing.T) {
	s := newSaves(t, underLoad)
	tiers := slices.Repeat([]event.Tier{event.TierSync, event.TierRestart, event.TierRebuild}, 10)
	s.up("--grace", "4s")
	models := s.status().Models

	http, grpc := &load{name: "HTTP", wanted: 20}, &load{name: "gRPC", wanted: 10}
	talks := &streams{load: load{name: "streams"}}
	a := &announcer{loads: map[string][]*load{models[0].ID: {http}, models[1].ID: {grpc, &talks.load}}}
	ctx, stop := context.WithCancel(context.Background())
	var following sync.WaitGroup
	following.Go(func() { a.follow(ctx, s.session) })
	defer following.Wait()
	defer stop()

	begun := time.Now()
	loading, rest := context.WithCancel(ctx)
	defer rest()
	http.every(loading, 300, predictor(models[0]))
	grpc.every(loading, 100, caller(dial(t, models[1])))
	for range openStreams / 2 {
		conn := dial(t, models[1])
		talks.keep(loading, conn)
		talks.keep(loading, conn)
	}
	for _, tier := range tiers {
		s.reload(a, s.next(tier))
	}
	rest()
	http.running.Wait()
	grpc.running.Wait()
	talks.running.Wait()
	took := time.Since(begun)

	for _, l := range []*load{http, grpc} {
		t.Logf("%s: %d requests sent (%.0f a second), %d answered, %d failed, %d stale", l.name,
			l.sent.Load(), float64(l.sent.Load())/took.Seconds(), l.answered.Load(), l.failed.Load(), l.stale.Load())
	}
	t.Logf("streams: %d opened, %d ended by their revision's end, %d messages answered, %d of those by an older revision than the announced one; %d failed, %d stale",
		talks.opened.Load(), talks.ended.Load(), talks.messages.Load(), talks.outlived.Load(), talks.failed.Load(), talks.stale.Load())
	t.Logf("%d saves in %s, %s each", len(tiers), took.Round(time.Second), (took / time.Duration(len(tiers))).Round(time.Millisecond))
	if what := a.trouble(); what != "" {
		t.Error(what)
	}
	if talks.ended.Load() == 0 || talks.outlived.Load() == 0 {
		t.Error("no stream outlived its revision's turn and was ended: what becomes of one is not shown")
	}
	s.must("down")
	s.nothingLeft()
}

// reload saves, waits until the new code answers, and compares with what status tells.
func (s *saves) reload(a *announcer, now *saving) {
	s.t.Helper()
	a.saving.Store(now)
	s.save(now)
	await(s.t, fmt.Sprintf("the save %+v answers", *now), func() bool {
		if what := a.trouble(); what != "" {
			s.t.Fatalf("at the save %+v: %s", *now, what)
		}
		return a.answered(now)
	})
	for _, m := range s.status().Models {
		if r := m.LastReload(); m.Serving.Tier != now.tier || m.Stale != nil || r.State != session.ReloadServes || r.Plan.File != now.file {
			s.t.Errorf("after the save %+v status tells of %s: serving %+v, stale %+v, last reload %+v", *now, m.ID, m.Serving, m.Stale, r)
		}
	}
}
