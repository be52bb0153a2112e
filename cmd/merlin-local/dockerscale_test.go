//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

func TestAContainerGoesToZeroAndTheNextRequestStartsIt(t *testing.T) {
	l, image := prebuilt(t)
	check(t, os.WriteFile(filepath.Join(l.repo, "merlin-local.yaml"), []byte("model: iris\nimage: "+image+
		"\nresource_request: { min_replica: 0, max_replica: 1 }\nplatform: { scale_to_zero_pod_retention: 0 }\n"), 0o644))
	l.up("--time-scale", "20")
	idle := func() bool { return l.status().Models[0].Phase == event.PhaseIdle }
	for range 2 {
		await(t, "it is idle", idle)
		await(t, "no container is left", func() bool {
			containers, _, err := l.made(l.session.ID)
			return err == nil && len(containers) == 0
		})
		contains(t, l.must("predict", "-d", "{}"), `"model":"iris-1"`)
	}
	scale := l.status().Models[0].Scale
	if scale == nil || len(scale.ColdStarts) != 2 {
		t.Fatalf("scale is %+v", scale)
	}
	for _, c := range scale.ColdStarts {
		t.Logf("%+v", c.ColdStart)
		parts := []time.Duration{c.Create, c.Process, c.Listening, c.Ready, c.Answer}
		sum := time.Duration(0)
		for _, part := range parts {
			sum += part
			if part < 0 {
				t.Errorf("a part is negative: %+v", c)
			}
		}
		if sum != c.Total || c.Create == 0 || c.Process == 0 { // the Engine takes its time for both
			t.Errorf("its parts add up to %s: %+v", sum, c)
		}
	}
	l.must("down")
	l.nothingLeft()
}

func TestContainersScaleByWhatTheEngineMeasures(t *testing.T) {
	l, image := prebuilt(t)
	// 5 % of 20Mi are 1Mi, and a Go server takes more.
	check(t, os.WriteFile(filepath.Join(l.repo, "merlin-local.yaml"), []byte("model: iris\nimage: "+image+
		"\nresource_request: { memory_request: 20Mi, max_replica: 2 }\nautoscaling_policy: { metrics_type: memory_utilization, target_value: 5 }\n"), 0o644))
	l.up("--time-scale", "20")
	await(t, "two are ready", func() bool {
		s := l.status().Models[0].Scale
		return s != nil && s.Wanted == 2 && s.Ready == 2
	})
	s := l.status().Models[0].Scale
	if first := s.Changes[0]; s.Class != "hpa" || s.Target != 1 || first.From != 1 || first.Desired != 2 || first.Observed < 1.1 {
		t.Errorf("scale is %+v", s)
	}
	contains(t, l.must("status"), "scales from 1 to 2 replicas, aiming at 1Mi of memory each", "scaled 1 -> 2: memory ", "Mi each, target 1Mi")
	l.must("down")
	l.nothingLeft()
}
