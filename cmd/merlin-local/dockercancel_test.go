//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// held has a build that begins once the file %[2]s is gone.
const held = `project: proof
models:
  - { model: iris, build: { context: ., run: "while [ -e %[2]s ]; do sleep 0.05; done" }, ` + savedModel + ` }
`

// A save that comes while the one before is being built, or does not become ready, takes
// its place; nothing of that is left, and the oldest one answers until then.
func TestANewerSaveCancelsAReloadInFlightAndNothingOfItIsLeft(t *testing.T) {
	t.Parallel() // it waits, most of its time
	for name, flight := range map[string]struct {
		begin func(s *saves, hold string) // a reload that does not end by itself
		under func(r *session.Reload) bool
		then  saving // how the newer save is told to serve
	}{
		"while it is built": {
			begin: func(s *saves, hold string) { s.put(hold, ""); s.save(s.next(event.TierRebuild)) },
			under: func(r *session.Reload) bool { return r.State == session.ReloadRuns && r.Plan.Tier == event.TierRebuild },
			then:  saving{number: 3, tier: event.TierRebuild, file: "savemodel"}, // which is still to be built
		},
		"while it is not ready": {
			begin: func(s *saves, _ string) { s.last++; s.put("source.txt", "broken") },
			under: func(r *session.Reload) bool { return r.State == session.ReloadRuns && r.Failure != nil },
			then:  saving{number: 3, tier: event.TierSync, file: "source.txt"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			hold := filepath.Join(t.TempDir(), "hold")
			s := newSaves(t, strings.ReplaceAll(held, "%[2]s", hold))
			s.up("--grace", "4s")
			m := s.status().Models[0]
			l := newLoad(m.Name, 5)
			a := s.announce(map[string][]*load{m.ID: {l}})
			l.every(a.loading, 50, predictor(m))

			flight.begin(s, hold)
			await(t, "the first save is on its way", func() bool { r := s.status().Models[0].LastReload(); return r != nil && flight.under(r) })
			a.saving.Store(&flight.then)
			s.save(s.next(event.TierSync))
			await(t, "the first is given up", func() bool { return s.status().Models[0].Reloads[0].State == session.ReloadCancelled })
			contains(t, s.status().Models[0].Reloads[0].Cancelled, "a newer edit: ")
			check(t, os.RemoveAll(hold))
			s.awaitAnswers(a, &flight.then)
			s.serves(3)
			await(t, "one container is left", func() bool {
				left, _, err := s.made(s.session.ID)
				return err == nil && len(left) == 1
			})
			a.end(t)
			s.must("down")
			s.nothingLeft()
		})
	}
}
