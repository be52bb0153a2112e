// Package scale is the autoscalers' arithmetic: how many replicas a model shall have,
// by what was observed of it. KPA is Knative's, for requests; HPA is Kubernetes', for
// CPU and memory.
//
// Nothing here reads a clock, sleeps or starts a goroutine: every instant is an
// argument, so the same observations give the same decisions. A KPA or an HPA belongs
// to one goroutine.
package scale

import (
	"math"
	"strconv"
	"time"
)

// Metric is what a model scales by, in Merlin's words.
type Metric string

// The metrics. The first two are the KPA's, the others the HPA's.
const (
	Concurrency Metric = "concurrency"
	RPS         Metric = "rps"
	CPU         Metric = "cpu_utilization"
	Memory      Metric = "memory_utilization"
)

// Requests tells whether the metric is of requests, and so the KPA's.
func (m Metric) Requests() bool { return m == Concurrency || m == RPS }

// Bounds are how many replicas there may be. Max is no limit at 0.
type Bounds struct{ Min, Max int }

func (b Bounds) clamp(n int) int {
	if n > b.Max && b.Max > 0 {
		n = b.Max
	}
	return max(n, b.Min)
}

// Decision is what one evaluation came to.
type Decision struct {
	At time.Time
	// Observed is the metric over Window: requests or requests a second of all replicas
	// together; of the HPA the average of one replica, in the unit of Target.
	Observed float64
	Window   time.Duration
	// Target is what one replica shall have of it.
	Target float64
	Ready  int
	// Desired is how many replicas there shall be.
	Desired int
	// Panic: the KPA sees a burst, and takes nothing away.
	Panic bool
	// Why is for people: what was observed, and what held the number back.
	Why string
}

// Faster returns a duration that passes n times faster.
func Faster(d time.Duration, n float64) time.Duration {
	if n <= 0 {
		return d
	}
	return time.Duration(float64(d) / n)
}

// rounded cuts the noise of sums off, as Knative does: a ceiling comes next.
func rounded(v float64) float64 {
	const precision = 1e6
	return math.Round(v*precision) / precision
}

// shown is a duration for people: to the second, or to the hundredth of a short one.
func shown(d time.Duration) time.Duration {
	if d < 10*time.Second {
		return d.Round(10 * time.Millisecond)
	}
	return d.Round(time.Second)
}

// number is for people.
func number(v float64) string {
	return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
}
