//go:build unix

package main

import (
	"slices"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// A revision waits for streams as long as a request may take: so long is the timeout.
const underLoad = `project: proof
models:
  - { model: http, protocol: HTTP_JSON, timeout: 8, ` + savedModel + ` }
  - { model: upi, protocol: UPI_V1, timeout: 8, ` + savedModel + ` }
`

func TestReloadsOfEveryTierUnderLoadLoseNoRequestAndNoAnswerIsOfOlderCode(t *testing.T) {
	s := newSaves(t, underLoad)
	s.up("--grace", "4s")
	models := s.status().Models
	http, grpc, talks := newLoad("HTTP", 20), newLoad("gRPC", 10), &streams{load: newLoad("streams", 0)}
	a := s.announce(map[string][]*load{models[0].ID: {http}, models[1].ID: {grpc, talks.load}})
	http.every(a.loading, 300, predictor(models[0]))
	grpc.every(a.loading, 100, caller(dial(t, models[1])))
	for range 4 {
		conn := dial(t, models[1])
		talks.keep(a.loading, conn)
		talks.keep(a.loading, conn)
	}
	for _, tier := range slices.Repeat([]event.Tier{event.TierSync, event.TierRestart, event.TierRebuild}, 10) {
		s.reload(a, s.next(tier))
	}
	a.end(t)
	t.Logf("streams: %d opened, %d ended with their revision, %d messages answered, %d of them by a revision after its turn",
		talks.opened.Load(), talks.ended.Load(), talks.messages.Load(), talks.outlived.Load())
	if talks.ended.Load() == 0 || talks.outlived.Load() == 0 {
		t.Error("no stream outlived its revision's turn and was ended: what becomes of one is not shown")
	}
	for _, m := range s.status().Models {
		if m.Traffic.Errors > 0 {
			t.Errorf("the port itself counts %d errors of %s", m.Traffic.Errors, m.ID)
		}
	}
	s.must("down")
	s.nothingLeft()
}
