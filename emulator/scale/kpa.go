package scale

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Every is how often Knative evaluates, and Bucket how long it sums up what it saw.
const (
	Every  = 2 * time.Second
	Bucket = time.Second
)

// KPASettings are what Knative's autoscaler goes by.
type KPASettings struct {
	Metric Metric // Concurrency or RPS
	Bounds
	// Total is what one replica takes of the metric; Utilization is the share of it
	// that is aimed at.
	Total, Utilization float64

	StableWindow, PanicWindow time.Duration
	// PanicThreshold: a burst that needs so many times the ready replicas.
	PanicThreshold float64
	// MaxUpRate and MaxDownRate bound a step by the ready replicas, times and divided.
	MaxUpRate, MaxDownRate float64
	// ActivationScale is what a scale other than 0 is at least; below 2 it is off.
	ActivationScale int
	// InitialScale is the least until it has been ready once.
	InitialScale int
	// ScaleDownDelay: the most of such a window is what counts.
	ScaleDownDelay time.Duration
	// TargetBurst is how many requests at once shall find room without the activator.
	TargetBurst float64

	// Grace is how long the activator has to be in the path before the last replica
	// goes; Retention is how long that one stays at least.
	Grace, Retention time.Duration
	// ActivationTimeout is when a model that never became ready is given up.
	ActivationTimeout time.Duration

	granularity time.Duration
}

const (
	concurrencyTotal = 100
	rpsTotal         = 200
	leastTarget      = 0.01
)

// DefaultKPA is Knative's configuration as it is shipped. A total of 0 is the metric's
// default; a concurrency that a replica refuses to go over bounds it.
func DefaultKPA(metric Metric, total float64, limit int, bounds Bounds) KPASettings {
	switch {
	case metric == RPS && total == 0:
		total = rpsTotal
	case metric == Concurrency && total == 0 && limit > 0:
		total = float64(limit)
	case metric == Concurrency && total == 0:
		total = concurrencyTotal
	case metric == Concurrency && limit > 0:
		total = min(total, float64(limit))
	}
	return KPASettings{
		Metric: metric, Bounds: bounds, Total: total, Utilization: 0.7,
		StableWindow: time.Minute, PanicWindow: 6 * time.Second, PanicThreshold: 2,
		MaxUpRate: 1000, MaxDownRate: 2, InitialScale: 1, TargetBurst: 211,
		Grace: 30 * time.Second, ActivationTimeout: 630 * time.Second,
		granularity: Bucket,
	}
}

// Faster returns the settings with everything that is a time n times shorter.
func (s KPASettings) Faster(n float64) KPASettings {
	for _, d := range []*time.Duration{
		&s.StableWindow, &s.PanicWindow, &s.ScaleDownDelay, &s.Grace, &s.Retention, &s.ActivationTimeout, &s.granularity,
	} {
		*d = Faster(*d, n)
	}
	return s
}

// Target is what one replica is aimed at.
func (s KPASettings) Target() float64 { return max(leastTarget, s.Total*s.Utilization) }

// KPA is Knative's pod autoscaler for one revision.
type KPA struct {
	KPASettings
	seen     *window
	panicked time.Time // last over the threshold; zero: not in panic
	most     int       // wanted in this panic
	delayed  []wish    // within ScaleDownDelay
	started  bool      // the initial scale has been ready
	life     activity
	wanted   int
}

// wish is a number of replicas, and when it was wanted.
type wish struct {
	at       time.Time
	replicas int
}

// NewKPA returns an autoscaler of a revision that has just been created.
func NewKPA(s KPASettings, now time.Time) *KPA {
	k := &KPA{KPASettings: s, seen: newWindow(s.StableWindow, s.granularity)}
	k.life = activity{state: activating, since: now}
	k.wanted = k.Bounds.clamp(max(s.InitialScale, s.Min))
	return k
}

// Observe adds a bucket's average of the metric.
func (k *KPA) Observe(at time.Time, value float64) { k.seen.add(at, value) }

// Keep says how many replicas there are to be where that is not what was decided last.
func (k *KPA) Keep(replicas int) { k.wanted = replicas }

// observed are the averages of one evaluation.
type observed struct {
	stable, burst float64
	ready         int
}

// Decide evaluates what was observed. It is false, and nothing is decided, where
// nothing was observed for as long as the stable window.
func (k *KPA) Decide(at time.Time, ready int) (Decision, bool) {
	stable, ok := k.seen.average(at, k.StableWindow)
	if !ok {
		return Decision{}, false
	}
	burst, _ := k.seen.average(at, k.PanicWindow)
	o := observed{stable, burst, ready}
	d := Decision{At: at, Ready: ready, Target: k.Target(), Observed: stable, Window: k.StableWindow}
	raw := k.raw(at, o, &d)
	d.Why = k.reading(d)
	d.Desired = k.apply(at, k.delay(at, raw), o, &d)
	if d.Panic {
		d.Why += " (panic)"
	}
	k.wanted = d.Desired
	return d, true
}

// raw is the autoscaler's own number, before any bound of the revision's.
func (k *KPA) raw(at time.Time, o observed, d *Decision) int {
	ready := max(1, float64(o.ready))
	up, down := math.Ceil(k.MaxUpRate*ready), math.Floor(ready/k.MaxDownRate)
	target := k.Target()
	needed, neededNow := math.Ceil(rounded(o.stable/target)), math.Ceil(rounded(o.burst/target))
	stable := k.activated(needed, min(max(needed, down), up))
	burst := k.activated(neededNow, min(max(neededNow, down), up))

	k.panic(at, neededNow/ready >= k.PanicThreshold)
	if k.panicked.IsZero() {
		return stable
	}
	d.Panic = true
	if burst >= stable {
		d.Observed, d.Window = o.burst, k.PanicWindow
	}
	k.most = max(k.most, stable, burst)
	return k.most
}

func (k *KPA) activated(needed, replicas float64) int {
	if needed > 0 && k.ActivationScale > 1 {
		replicas = max(replicas, float64(k.ActivationScale))
	}
	return int(replicas)
}

// panic enters, extends or leaves panic.
func (k *KPA) panic(at time.Time, over bool) {
	switch {
	case over:
		k.panicked = at
	case !k.panicked.IsZero() && k.panicked.Add(k.StableWindow).Before(at):
		k.panicked, k.most = time.Time{}, 0
	}
}

// delay is the most that was wanted within the scale-down delay.
func (k *KPA) delay(at time.Time, replicas int) int {
	if k.ScaleDownDelay == 0 {
		return replicas
	}
	k.delayed = append(since(k.delayed, at.Add(-k.ScaleDownDelay)), wish{at, replicas})
	return most(k.delayed)
}

// since drops the wishes of before an instant.
func since(wishes []wish, from time.Time) []wish {
	for len(wishes) > 0 && wishes[0].at.Before(from) {
		wishes = wishes[1:]
	}
	return wishes
}

func most(wishes []wish) int {
	replicas := 0
	for _, w := range wishes {
		replicas = max(replicas, w.replicas)
	}
	return replicas
}

// reading says what was observed.
func (k *KPA) reading(d Decision) string {
	unit := "requests at a time"
	if k.Metric == RPS {
		unit = "requests a second"
	}
	seen := number(d.Observed)
	if seen == "1" {
		unit = strings.Replace(unit, "requests", "request", 1)
	}
	return fmt.Sprintf("%s %s over %s, target %s each", seen, unit, d.Window, number(d.Target))
}
