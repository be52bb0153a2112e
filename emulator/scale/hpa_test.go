package scale

import (
	"testing"
	"time"
)

// uses are replicas that are long ready, with a usage each.
func uses(at time.Time, usage ...float64) []Pod {
	var pods []Pod
	for _, u := range usage {
		long := at.Add(-time.Hour)
		pods = append(pods, Pod{Started: long, Ready: true, Changed: long, Sampled: at, Usage: u})
	}
	return pods
}

func TestHPAOfOneEvaluation(t *testing.T) {
	now := second(0)
	late := Pod{Started: now.Add(-time.Minute), Ready: false, Changed: now.Add(-time.Minute), Sampled: now, Usage: 400}
	unknown := Pod{Started: now.Add(-time.Hour), Ready: true, Changed: now.Add(-time.Hour)}
	for name, row := range map[string]struct {
		metric Metric
		target float64
		pods   []Pod
		want   int
	}{
		"twice the target":               {CPU, 50, uses(now, 100), 2},               // 100/50 = 2
		"uneven":                         {CPU, 50, uses(now, 200, 10, 30), 5},       // average 80, 80/50 = 1.6, ceil(1.6 x 3) = 5
		"within the tolerance":           {CPU, 50, uses(now, 55, 55), 2},            // 1.1
		"just over it":                   {CPU, 50, uses(now, 56, 56), 3},            // 1.12, ceil(2.24)
		"whole percents":                 {CPU, 50, uses(now, 55.9), 1},              // 55
		"a target is a whole percent":    {CPU, 49.2, uses(now, 55), 1},              // of 50
		"no more than 4 or twice":        {CPU, 10, uses(now, 1000), 4},              // 100 wanted
		"twice":                          {CPU, 10, uses(now, 900, 900, 900), 6},     // 270 wanted
		"at most the user's":             {CPU, 10, uses(now, 99, 99, 99, 99), 7},    // 40 wanted, 8 by the step
		"less waits at first":            {CPU, 50, uses(now, 10, 10, 10), 3},        // 1 wanted, 3 were there
		"memory":                         {Memory, 717, uses(now, 1434, 1434), 4},    // 2 x 2
		"memory in whole MiB":            {Memory, 717.9, uses(now, 790, 790), 3},    // of 717: 1.1018
		"one that starts counts nothing": {CPU, 50, append(uses(now, 100), late), 2}, // (100+0)/2 = 50: 1
		"nor does it for less":           {CPU, 50, append(uses(now, 10), late), 2},
		"one unknown, up":                {CPU, 50, append(uses(now, 200), unknown), 4},  // (200+0)/2 = 100: 2 x 2
		"one unknown, down":              {CPU, 50, append(uses(now, 10), unknown), 2},   // (10+100)/2 = 55: the other way
		"memory counts at the start":     {Memory, 100, append(uses(now, 300), late), 4}, // (300+400)/2 = 350: 7, by the step 4
	} {
		h := NewHPA(DefaultHPA(row.metric, row.target, Bounds{1, 7}))
		d, ok := h.Decide(now, row.pods)
		if !ok || d.Desired != row.want {
			t.Errorf("%s: %+v, %t; want %d", name, d, ok, row.want)
		}
	}
}

func TestHPAWithoutASampleDecidesNothing(t *testing.T) {
	h := NewHPA(DefaultHPA(CPU, 50, Bounds{0, 5}))
	if d, ok := h.Decide(start, []Pod{{Started: start, Ready: true, Changed: start}, {}}); ok {
		t.Errorf("decided %+v", d)
	}
	if d, ok := h.Decide(start, nil); ok {
		t.Errorf("decided %+v", d)
	}
}

func TestHPAGoesDownFiveMinutesAfterTheLastNeed(t *testing.T) {
	h := NewHPA(DefaultHPA(CPU, 50, Bounds{1, 9}))
	pods := 1
	at := start
	step := func(usage float64) Decision {
		all := make([]float64, pods)
		for i := range all {
			all[i] = usage
		}
		d, _ := h.Decide(at, uses(at, all...))
		pods = d.Desired
		at = at.Add(Sync)
		return d
	}
	if d := step(150); d.Desired != 3 { // 150/50
		t.Errorf("decided %+v", d)
	}
	for at.Sub(start) <= 5*time.Minute {
		if d := step(10); d.Desired != 3 {
			t.Fatalf("after %s: %+v", at.Sub(start), d)
		}
	}
	// The recommendation of 0 s is out of the window; those since are ceil(0.2 x 3) = 1.
	if d := step(10); d.Desired != 1 || d.Why != "CPU at 10 % of its request, target 50 %" {
		t.Errorf("decided %+v", d)
	}
}

func TestHPANeverGoesToZero(t *testing.T) {
	h := NewHPA(DefaultHPA(Memory, 100, Bounds{0, 3}))
	for n := range 60 {
		at := second(float64(15 * n))
		if d, _ := h.Decide(at, uses(at, 0)); d.Desired != 1 {
			t.Fatalf("decided %+v", d)
		}
	}
}
