//go:build unix

package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

const replacing = `project: proof
models:
  - { model: http, protocol: HTTP_JSON, timeout: 60, reload: replace, ` + savedModel + ` }
  - { model: upi, protocol: UPI_V1, timeout: 60, reload: replace, ` + savedModel + ` }
`

// tooLarge has models that fit into the Engine's memory once, and not twice.
const tooLarge = `project: proof
models:
  - { model: http, protocol: HTTP_JSON, timeout: 60, resource_request: { memory_request: %[2]dMi }, ` + savedModel + ` }
`

// One old revision stops before the new one starts: what comes meanwhile waits, and fails
// no more than what comes when both run.
func TestWhereRevisionsReplaceEachOtherRequestsWaitAndNoneFails(t *testing.T) {
	t.Parallel() // it waits, most of its time
	engine, err := findEngine()
	if err != nil {
		t.Skipf("SKIPPED, SO NOT PROVEN: no Docker Engine answers: %v", err)
	}
	var info struct{ MemTotal int64 }
	check(t, engine.call(http.MethodGet, "/info", &info))
	request := info.MemTotal * 3 / 10 >> 20 // Merlin's limit is twice that
	for _, row := range []struct{ fact, config, why string }{
		{"asked for", replacing, "reload: replace"},
		{"too little memory", strings.ReplaceAll(tooLarge, "%[2]d", fmt.Sprint(request)), "do not fit side by side"},
	} {
		t.Run(row.fact, func(t *testing.T) {
			s := newSaves(t, row.config)
			s.up("--grace", "4s")
			loads := map[string][]*load{}
			models := s.status().Models
			for _, m := range models {
				loads[m.ID] = []*load{newLoad(m.Name, 5)}
			}
			a := s.announce(loads)
			for _, m := range models {
				ask := predictor(m)
				if m.URLs.GRPC != "" {
					conn := dial(t, m)
					ask = caller(conn)
					talks := &streams{load: newLoad("streams", 0)}
					loads[m.ID] = append(loads[m.ID], talks.load)
					talks.keep(a.loading, conn)
				}
				loads[m.ID][0].every(a.loading, 40, ask)
			}
			for _, tier := range []event.Tier{event.TierSync, event.TierRestart, event.TierRebuild} {
				s.reload(a, s.next(tier))
				for _, m := range s.status().Models {
					contains(t, m.LastReload().Plan.Replaces, row.why)
				}
			}
			a.end(t)
			t.Logf("%d requests waited for a revision", a.held.Load())
			if a.held.Load() == 0 {
				t.Error("no request waited: there was nothing to lose")
			}
			s.must("down")
			s.nothingLeft()
		})
	}
}
