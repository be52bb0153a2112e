package scale

import (
	"testing"
	"time"
)

// FuzzDecisionsStayWithinTheirBounds: whatever is seen, and however many are ready, a
// decision is within the bounds and a step no larger than it may be.
func FuzzDecisionsStayWithinTheirBounds(f *testing.F) {
	f.Add([]byte{0, 0, 0}, uint8(0), uint8(3), uint8(1), false)
	f.Add([]byte{255, 1, 9, 0, 0, 0, 200}, uint8(2), uint8(0), uint8(7), true)
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255}, uint8(1), uint8(1), uint8(200), true)
	f.Fuzz(func(t *testing.T, loads []byte, least, most, total uint8, rps bool) {
		bounds := Bounds{int(least), int(most)}
		if bounds.Max > 0 {
			bounds.Max = max(bounds.Max, bounds.Min)
		}
		loads = loads[:min(len(loads), 300)]
		metric := Concurrency
		if rps {
			metric = RPS
		}
		k := NewKPA(DefaultKPA(metric, float64(total)/10, 0, bounds), start)
		h := NewHPA(DefaultHPA(CPU, float64(total)+1, bounds))
		at, ready, replicas := start, 0, 1
		for i, load := range loads {
			if load%5 == 4 { // nothing is seen for a while
				at = at.Add(time.Duration(load) * time.Second)
			}
			at = at.Add(Every)
			k.Observe(at, float64(load)*float64(load))
			d, ok := k.Decide(at, ready)
			if !ok || d.Desired < bounds.Min || bounds.Max > 0 && d.Desired > bounds.Max || d.Desired < 0 {
				t.Fatalf("%d: %+v, %t, within %+v", i, d, ok, bounds)
			}
			if d.Desired < ready/2 && d.Desired < bounds.Max {
				t.Fatalf("%d: from %d to %d at once", i, ready, d.Desired)
			}
			if d.Why == "" || d.Observed < 0 || d.Target <= 0 {
				t.Fatalf("%d: %+v", i, d)
			}
			ready = max(0, d.Desired-int(load)%3)

			pods := make([]Pod, min(replicas, 500))
			for j := range pods {
				pods[j] = Pod{Started: at.Add(-time.Duration(load) * time.Minute), Ready: j%3 != 0, Changed: at.Add(-time.Minute), Usage: float64(load)}
				if (j+int(load))%4 != 0 {
					pods[j].Sampled = at
				}
			}
			if d, ok := h.Decide(at, pods); ok {
				if d.Desired < max(1, bounds.Min) || bounds.Max > 0 && d.Desired > max(1, bounds.Max) || d.Desired > max(4, 2*len(pods), bounds.Min) {
					t.Fatalf("%d: %+v of %d within %+v", i, d, len(pods), bounds)
				}
				replicas = d.Desired
			}
		}
	})
}
