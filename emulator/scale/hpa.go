package scale

import (
	"fmt"
	"math"
	"time"
)

// Sync is how often Kubernetes evaluates an HPA.
const Sync = 15 * time.Second

// HPASettings are what Kubernetes' autoscaler goes by.
type HPASettings struct {
	Metric Metric // CPU or Memory
	Bounds        // at least 1
	// Target of one replica: CPU in percent of its request, memory in MiB.
	Target float64
	// Tolerance: a ratio to the target that is no further from 1 changes nothing.
	Tolerance float64
	// Stabilization: the most that was recommended in such a window counts.
	Stabilization time.Duration
	// Initialization is how long after a replica's start its CPU counts only while it
	// is ready and by samples of that time; Window is how long a sample looks back.
	// ReadinessDelay: a replica that became unready no later after its start counts
	// as one that never was ready.
	Initialization, ReadinessDelay, Window time.Duration
}

// DefaultHPA is Kubernetes' configuration as it is shipped, and Knative's bound below.
func DefaultHPA(metric Metric, target float64, bounds Bounds) HPASettings {
	bounds.Min = max(bounds.Min, 1)
	if metric == CPU {
		target = math.Ceil(target) // Knative's: a whole percent
	} else {
		target = math.Floor(target) // and whole MiB
	}
	return HPASettings{
		Metric: metric, Bounds: bounds, Target: target, Tolerance: 0.1, Stabilization: 5 * time.Minute,
		Initialization: 5 * time.Minute, ReadinessDelay: 30 * time.Second, Window: 15 * time.Second,
	}
}

// Faster returns the settings with everything that is a time n times shorter.
func (s HPASettings) Faster(n float64) HPASettings {
	for _, d := range []*time.Duration{&s.Stabilization, &s.Initialization, &s.ReadinessDelay, &s.Window} {
		*d = Faster(*d, n)
	}
	return s
}

// Pod is what is known of one replica.
type Pod struct {
	Started time.Time
	Ready   bool
	Changed time.Time // since when Ready is as it is
	Sampled time.Time // of Usage; zero where there is no sample
	Usage   float64   // in the unit of the target
}

// HPA is Kubernetes' horizontal pod autoscaler for one model.
type HPA struct {
	HPASettings
	recommended []wish
}

// NewHPA returns an autoscaler that has seen nothing yet.
func NewHPA(s HPASettings) *HPA { return &HPA{HPASettings: s} }

// Decide evaluates the usage of the replicas there are. It is false, and nothing is
// decided, where none has a sample that counts.
func (h *HPA) Decide(at time.Time, pods []Pod) (Decision, bool) {
	current := len(pods)
	counted, unready, missing := h.group(at, pods)
	if len(counted) == 0 {
		return Decision{}, false
	}
	d := Decision{At: at, Observed: rounded(h.usage(counted)), Window: h.Window, Target: h.Target}
	for _, p := range pods {
		if p.Ready {
			d.Ready++
		}
	}
	d.Why = h.reading(d)
	recommended := h.recommend(current, counted, unready, missing)
	d.Desired = h.bounded(current, h.stabilized(at, current, recommended, &d), &d)
	return d, true
}

// group tells the usages that count, and how many replicas have none that does.
func (h *HPA) group(at time.Time, pods []Pod) (counted []float64, unready, missing int) {
	for _, p := range pods {
		switch {
		case p.Started.IsZero():
			unready++
		case p.Sampled.IsZero():
			missing++
		case h.Metric == CPU && h.tooEarly(at, p):
			unready++
		default:
			counted = append(counted, p.Usage)
		}
	}
	return counted, unready, missing
}

// tooEarly tells whether a replica's CPU is that of its start.
func (h *HPA) tooEarly(at time.Time, p Pod) bool {
	if at.Before(p.Started.Add(h.Initialization)) {
		return !p.Ready || p.Sampled.Before(p.Changed.Add(h.Window))
	}
	return !p.Ready && p.Changed.Before(p.Started.Add(h.ReadinessDelay))
}

// usage is the average; CPU in whole percent, as Kubernetes counts it.
func (h *HPA) usage(of []float64) float64 {
	sum := 0.0
	for _, u := range of {
		sum += u
	}
	average := sum / float64(len(of))
	if h.Metric == CPU {
		return math.Floor(rounded(average))
	}
	return average
}

// recommend is the number that brings the average to the target. What has no sample is
// taken for what makes the smaller change.
func (h *HPA) recommend(current int, counted []float64, unready, missing int) int {
	ratio := h.usage(counted) / h.Target
	waits := unready > 0 && ratio > 1
	if !waits && missing == 0 {
		if h.near(ratio) {
			return current
		}
		return int(math.Ceil(rounded(ratio * float64(len(counted)))))
	}
	all := append([]float64(nil), counted...)
	for range missing {
		all = append(all, h.assumed(ratio))
	}
	if waits {
		all = append(all, make([]float64, unready)...)
	}
	damped := h.usage(all) / h.Target
	if h.near(damped) || (ratio < 1) != (damped < 1) {
		return current
	}
	replicas := int(math.Ceil(rounded(damped * float64(len(all)))))
	if damped < 1 && replicas > current || damped > 1 && replicas < current {
		return current
	}
	return replicas
}

// assumed is the usage of a replica that has no sample.
func (h *HPA) assumed(ratio float64) float64 {
	switch {
	case ratio > 1:
		return 0
	case h.Metric == CPU:
		return max(100, h.Target)
	}
	return h.Target
}

func (h *HPA) near(ratio float64) bool { return ratio >= 1-h.Tolerance && ratio <= 1+h.Tolerance }

// stabilized is the most that was recommended lately, of which the first is what was
// there already.
func (h *HPA) stabilized(at time.Time, current, recommended int, d *Decision) int {
	if h.recommended == nil {
		h.recommended = []wish{{at, current}}
	}
	h.recommended = append(since(h.recommended, at.Add(-h.Stabilization)), wish{at, recommended})
	stable := most(h.recommended)
	if stable > recommended {
		d.Why += fmt.Sprintf(", %d wanted within the last %s", stable, h.Stabilization)
	}
	return stable
}

const (
	upFactor = 2 // of a step
	upLeast  = 4 // replicas that a step may always reach
)

// bounded is within the revision's bounds, and no larger a step than Kubernetes takes.
func (h *HPA) bounded(current, replicas int, d *Decision) int {
	bounds := h.Bounds
	step := max(upFactor*current, upLeast)
	if bounds.Max == 0 || step < bounds.Max {
		bounds.Max = max(step, bounds.Min)
	}
	bounded := bounds.clamp(replicas)
	switch {
	case bounded < replicas:
		d.Why += fmt.Sprintf(", at most %d", bounded)
	case bounded > replicas:
		d.Why += fmt.Sprintf(", at least %d", bounded)
	}
	return bounded
}

func (h *HPA) reading(d Decision) string {
	if h.Metric == CPU {
		return fmt.Sprintf("CPU at %s %% of its request, target %s %%", number(d.Observed), number(d.Target))
	}
	return fmt.Sprintf("memory %sMi each, target %sMi", number(d.Observed), number(d.Target))
}
