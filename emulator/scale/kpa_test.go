package scale

import (
	"testing"
	"time"
)

// The instants of the tests are seconds from here.
var start = time.Unix(1_000_000, 0)

func tenth(n int) time.Time { return start.Add(time.Duration(n) * time.Second / 10) }

func second(n float64) time.Time { return start.Add(time.Duration(n * float64(time.Second))) }

// player feeds an autoscaler a bucket a second and evaluates every 2 s, as Knative does;
// replicas are ready as soon as they are wanted.
type player struct {
	*KPA
	now   int
	ready int
	last  Decision
}

func play(s KPASettings) *player {
	p := &player{KPA: NewKPA(s, start)}
	p.ready = p.wanted
	return p
}

// load lasts for so many seconds; then it tells what was decided last.
func (p *player) load(seconds int, value float64) Decision {
	for range seconds {
		p.Observe(second(float64(p.now)), value)
		if p.now%2 == 0 {
			if d, ok := p.Decide(second(float64(p.now)), p.ready); ok {
				p.last, p.ready = d, d.Desired
			}
		}
		p.now++
	}
	return p.last
}

func concurrency(total float64, minimum, maximum int) KPASettings {
	return DefaultKPA(Concurrency, total, 0, Bounds{minimum, maximum})
}

func want(t *testing.T, what string, d Decision, desired int, panics bool) {
	t.Helper()
	if d.Desired != desired || d.Panic != panics {
		t.Errorf("%s: desired %d, panic %t; want %d, %t (%+v)", what, d.Desired, d.Panic, desired, panics, d)
	}
}

func TestTheTargetOfAReplica(t *testing.T) {
	for name, row := range map[string]struct {
		s    KPASettings
		want float64
	}{
		"none given":               {DefaultKPA(Concurrency, 0, 0, Bounds{}), 70},   // 100 x 0.7
		"a limit is the total":     {DefaultKPA(Concurrency, 0, 10, Bounds{}), 7},   // 10 x 0.7
		"the limit bounds it":      {DefaultKPA(Concurrency, 40, 10, Bounds{}), 7},  // min(40, 10) x 0.7
		"below the limit":          {DefaultKPA(Concurrency, 4, 10, Bounds{}), 2.8}, // 4 x 0.7
		"Merlin's default":         {DefaultKPA(Concurrency, 1, 0, Bounds{}), 0.7},
		"never nothing":            {DefaultKPA(Concurrency, 0.01, 0, Bounds{}), 0.01}, // 0.007 is below 0.01
		"rps, none given":          {DefaultKPA(RPS, 0, 0, Bounds{}), 140},             // 200 x 0.7
		"rps has no limit to heed": {DefaultKPA(RPS, 20, 2, Bounds{}), 14},
	} {
		if got := rounded(row.s.Target()); got != row.want {
			t.Errorf("%s: target %v, want %v", name, got, row.want)
		}
	}
}

func TestNothingSeenDecidesNothing(t *testing.T) {
	k := NewKPA(concurrency(10, 0, 5), start)
	if d, ok := k.Decide(start, 1); ok {
		t.Errorf("decided %+v", d)
	}
	k.Observe(second(0), 30)
	if _, ok := k.Decide(second(59), 1); !ok {
		t.Error("59 s later it is still known")
	}
	// 60 buckets: the 60th second after it, it is out of the window.
	if d, ok := k.Decide(second(60), 1); ok {
		t.Errorf("decided %+v", d)
	}
}

func TestAnAverageIsOverTheBucketsSinceTheFirst(t *testing.T) {
	k := NewKPA(concurrency(10, 1, 0), start)
	k.Observe(second(0), 4)
	k.Observe(second(1), 12)
	// (4+12)/2 = 8, of 7: 2 replicas, though the windows are 60 and 6 s.
	d, _ := k.Decide(second(1), 1)
	if d.Observed != 8 || d.Desired != 2 {
		t.Errorf("decided %+v", d)
	}
}

func TestABurstIsPanicAndNothingIsTakenAwayInIt(t *testing.T) {
	p := play(concurrency(10, 1, 0)) // target 7
	want(t, "steady", p.load(60, 5), 1, false)
	// From 60 s on 70 at a time. At 60 s the 6 s average is (5x5+70)/6 = 15.83: ceil(/7) =
	// 3, and 3/1 >= 2 is panic. At 62 s (3x5+3x70)/6 = 37.5: 6; at 64 s (5+5x70)/6 =
	// 59.2: 9; at 66 s it is 70: 10.
	want(t, "its first second", p.load(1, 70), 3, true)
	want(t, "after 3 s", p.load(2, 70), 6, true)
	want(t, "after 5 s", p.load(2, 70), 9, true)
	want(t, "after 7 s", p.load(2, 70), 10, true)
	// It was over the threshold last at 62 s (6 wanted, 3 ready), not at 64 s (9 and 6):
	// panic lasts until 60 s have passed since, at 122 s.
	d := p.load(56, 0) // 67 to 122 s
	want(t, "within the stable window", d, 10, true)
	// At 124 s it is over. The window holds the zeros of 67 to 124 s and the 70s of 65
	// and 66 s: 140/60 = 2.33, ceil(/7) = 1, but not below floor(10/2) = 5.
	want(t, "after it", p.load(2, 0), 5, false)
	want(t, "halved again", p.load(2, 0), 2, false) // floor(5/2)
	want(t, "and again", p.load(2, 0), 1, false)
}

func TestPanicReadsTheShortWindow(t *testing.T) {
	p := play(concurrency(100, 1, 0))
	p.load(60, 0)
	d := p.load(7, 212) // 60 to 66 s: the 6 s average is 212, ceil(212/70) = 4
	if d.Desired != 4 || d.Why != "212 requests at a time over 6s, target 70 each (panic)" || d.Window != 6*time.Second {
		t.Errorf("decided %+v", d)
	}
}

func TestAStepIsBoundByTheReadyReplicas(t *testing.T) {
	s := concurrency(1, 1, 0) // target 0.7
	s.MaxUpRate = 1.5
	k := NewKPA(s, start)
	k.Observe(second(0), 70) // 100 replicas' worth
	d, _ := k.Decide(second(0), 3)
	want(t, "up", d, 5, true) // ceil(1.5 x 3)
	d, _ = k.Decide(second(0), 0)
	want(t, "none is ready", d, 5, true) // ceil(1.5 x 1) = 2, but panic takes nothing away
	k = NewKPA(concurrency(1, 1, 0), start)
	k.Observe(second(0), 0.1)
	d, _ = k.Decide(second(0), 9)
	want(t, "down", d, 4, false) // floor(9/2)
}

func TestTheMostReplicasAreTheUsers(t *testing.T) {
	d := play(concurrency(1, 1, 3)).load(10, 50)
	want(t, "clamped", d, 3, true)
	if d.Why != "50 requests at a time over 6s, target 0.7 each, at most 3 (panic)" {
		t.Errorf("why is %q", d.Why)
	}
	want(t, "at least", play(concurrency(1, 2, 3)).load(10, 0), 2, false)
}

func TestRequestsASecondScaleToo(t *testing.T) {
	p := play(DefaultKPA(RPS, 20, 0, Bounds{1, 9})) // target 14
	d := p.load(11, 40)
	// ceil(40/14) = 3; 3/1 >= 2 was panic at first.
	want(t, "rps", d, 3, true)
	if d.Why != "40 requests a second over 6s, target 14 each (panic)" {
		t.Errorf("why is %q", d.Why)
	}
}

func TestAnActivationScaleIsForEveryScaleButZero(t *testing.T) {
	s := concurrency(100, 0, 0)
	s.ActivationScale = 3
	p := play(s)
	want(t, "something is to do", p.load(2, 1), 3, false) // ceil(1/70) = 1, which is no panic, raised to 3
	p = play(s)
	// Nothing is to do: not raised; and an active one keeps 1 for its first minute.
	if d := p.load(2, 0); d.Desired != 1 {
		t.Errorf("decided %+v", d)
	}
}

func TestAnInitialScaleIsTheLeastUntilItWasReady(t *testing.T) {
	s := concurrency(100, 0, 5)
	s.InitialScale = 3
	p := play(s)
	p.ready = 1
	d := p.load(1, 0)
	want(t, "1 is ready", d, 3, false)
	if d.Why != "0 requests at a time over 1m0s, target 70 each, at least 3" {
		t.Errorf("why is %q", d.Why)
	}
	want(t, "3 are", p.load(2, 0), 3, false)        // seen from now on
	want(t, "from then on", p.load(2, 0), 1, false) // floor(3/2)
}

func TestAScaleDownWaitsForItsDelay(t *testing.T) {
	s := concurrency(10, 1, 0)
	s.ScaleDownDelay = 30 * time.Second
	p := play(s)
	p.load(60, 20) // ceil(20/7) = 3
	want(t, "before", p.last, 3, p.last.Panic)
	// From 60 s on 1. At 78 s the window holds 41 buckets of 20 and 19 of 1: 839/60 =
	// 13.98, ceil(/7) = 2. The 3 that were wanted at 76 s count until 106 s.
	want(t, "in the delay", p.load(47, 1), 3, false) // to 106 s
	want(t, "after it", p.load(2, 1), 2, false)      // 108 s
}

func TestScaleToZeroAndBack(t *testing.T) {
	s := concurrency(1, 0, 2) // target 0.7
	s.Retention = 10 * time.Minute
	p := play(s)
	p.load(60, 1)     // 0 to 59 s; 2 wanted: ceil(1/0.7)
	p.load(60, 0)     // 60 to 119 s
	d := p.load(2, 0) // 120 s: nothing for 60 buckets
	// Two were there: floor(2/2) = 1.
	want(t, "halved", d, 1, false)
	d = p.load(2, 0) // 122 s: inactive from here
	want(t, "kept", d, 1, false)
	d = p.load(599, 0) // 124 to 722 s
	if d.Desired != 0 || d.At != second(722) {
		t.Errorf("600 s after 122 s it is not gone: %+v", d)
	}
	d, ok := p.Decide(second(800), 0)
	if ok {
		t.Errorf("nothing was seen for a window, and %+v is decided", d)
	}
	// A request comes at zero: what the activator tells at once is 1.
	p.Observe(second(1000), 1)
	d, ok = p.Decide(second(1000), 0)
	// ceil(1/0.7) = 2, and 2/1 >= 2 is panic.
	if want(t, "activated", d, 2, true); !ok {
		t.Error("nothing is decided")
	}
}

func TestTheLastReplicaGoesAtOnceWhereTheActivatorWasThereAllAlong(t *testing.T) {
	// No retention: active from 0 s on, inactive at 60 s; the activator was in the path
	// since 0 s (1 x 100 - 211 < 0), longer than its 30 s of grace.
	p := play(concurrency(100, 0, 5))
	d := p.load(61, 0)
	want(t, "inactive", d, 1, false)
	d = p.load(2, 0)
	if want(t, "gone", d, 0, false); d.At != second(62) {
		t.Errorf("it is gone at %v", d.At.Sub(start))
	}
	// Without the activator in the path its grace has to pass.
	s := concurrency(100, 0, 5)
	s.TargetBurst = 0
	p = play(s)
	if d = p.load(91, 0); d.Desired != 0 || d.At != second(90) { // inactive, and so proxied, at 60 s
		t.Errorf("decided %+v", d)
	}
}

func TestWhatNeverBecameReadyIsGivenUp(t *testing.T) {
	s := concurrency(1, 0, 5)
	k := NewKPA(s, start)
	var d Decision
	for n := 0; n <= 632; n += 2 {
		k.Observe(second(float64(n)), 0)
		d, _ = k.Decide(second(float64(n)), 0)
		if d.Desired == 0 {
			break
		}
	}
	if d.Desired != 0 || d.At != second(630) { // 600 s and 30 s
		t.Errorf("decided %+v", d)
	}
}

func TestAMinimumOfOneNeverGoesToZero(t *testing.T) {
	if d := play(concurrency(1, 1, 5)).load(2000, 0); d.Desired != 1 {
		t.Errorf("decided %+v", d)
	}
}

func TestFasterIsTheSameSooner(t *testing.T) {
	slow, fast := NewKPA(concurrency(1, 0, 9), start), NewKPA(concurrency(1, 0, 9).Faster(10), start)
	ready := 1
	for n := range 400 {
		load := float64(n % 7)
		if n > 100 {
			load = 0
		}
		slow.Observe(second(float64(n)), load)
		fast.Observe(tenth(n), load)
		a, _ := slow.Decide(second(float64(n)), ready)
		b, _ := fast.Decide(tenth(n), ready)
		if a.Desired != b.Desired || a.Panic != b.Panic || a.Observed != b.Observed {
			t.Fatalf("second %d: %+v, faster %+v", n, a, b)
		}
		ready = a.Desired
	}
	if ready != 0 {
		t.Error("it never came to zero")
	}
}
