package docker

import (
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
)

func TestMemoryLeavesOutTheCacheThatCanBeDropped(t *testing.T) {
	for name, test := range map[string]struct {
		stats map[string]uint64
		want  int64
	}{
		"control groups 1": {map[string]uint64{"total_inactive_file": 30, "inactive_file": 10}, 70},
		"control groups 2": {map[string]uint64{"inactive_file": 20, "file": 50}, 80},
		"neither":          {nil, 100},
		"nonsense":         {map[string]uint64{"inactive_file": 200}, 100},
	} {
		if got := inUse(container.MemoryStats{Usage: 100, Stats: test.stats}); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}

func TestWhatHappenedBetweenTwoSamplesIsTheirDifference(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	sampled := func(after time.Duration, cpu time.Duration, periods, throttled uint64) container.StatsResponse {
		s := container.StatsResponse{Read: at.Add(after)}
		s.CPUStats.CPUUsage.TotalUsage = uint64(cpu)
		s.CPUStats.ThrottlingData = container.ThrottlingData{Periods: periods, ThrottledPeriods: throttled, ThrottledTime: throttled * 1000}
		return s
	}
	var m meter
	if u := m.usage(sampled(0, 5*time.Second, 100, 10)); u.CPU != 0 || u.CPUTime != 5*time.Second || u.ThrottledShare != 0 {
		t.Errorf("the first is %+v", u)
	}
	if u := m.usage(sampled(2*time.Second, 8*time.Second, 120, 15)); u.CPU != 1.5 || u.ThrottledShare != 0.25 || u.Throttled != 15*time.Microsecond {
		t.Errorf("the second is %+v", u)
	}
	if u := m.usage(sampled(2*time.Second, 9*time.Second, 120, 15)); u.CPU != 0 || u.ThrottledShare != 0 {
		t.Errorf("one of the same instant is %+v", u)
	}
	if u := m.usage(sampled(4*time.Second, time.Second, 1, 0)); u.CPU != 0 || u.ThrottledShare != 0 {
		t.Errorf("one whose counters fell is %+v", u)
	}
}
