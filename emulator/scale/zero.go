package scale

import (
	"fmt"
	"math"
	"time"
)

// activity is a revision's condition Active, which decides whether it may go to zero,
// and whether the activator is in the path of its requests.
type activity struct {
	state   activeState
	since   time.Time
	proxied time.Time // since when the activator is in the path; zero: it is not
}

type activeState int

const (
	activating activeState = iota // too few are ready
	active
	inactive // nothing is to do; the last replica waits for its end
)

func (a *activity) enter(state activeState, at time.Time) {
	if a.state != state {
		a.state, a.since = state, at
	}
}

// apply turns the autoscaler's number into what the revision gets: within its bounds,
// and zero only when that is due.
func (k *KPA) apply(at time.Time, replicas int, o observed, d *Decision) int {
	bounds := k.Bounds
	least := max(1, bounds.Min)
	if !k.started && k.InitialScale > 1 {
		bounds.Min = bounds.clamp(k.InitialScale)
		least = max(1, bounds.Min)
	}
	desired := bounds.clamp(replicas)
	switch {
	case desired < replicas:
		d.Why += fmt.Sprintf(", at most %d", desired)
	case desired > replicas:
		d.Why += fmt.Sprintf(", at least %d", desired)
	}
	want, applied := desired, desired
	if desired == 0 {
		want, applied = k.zero(at, d)
	}
	k.condition(at, want, least, o.ready)
	k.proxy(at, want, o)
	return applied
}

// unknown is a want that changes nothing.
const unknown = -1

// zero returns what is wanted in place of zero, and what is there meanwhile.
func (k *KPA) zero(at time.Time, d *Decision) (want, applied int) {
	passed := at.Sub(k.life.since)
	switch k.life.state {
	case activating:
		if passed >= k.ActivationTimeout {
			d.Why += fmt.Sprintf("; it was not ready for %s", shown(passed))
			return 0, 0
		}
		return unknown, k.wanted
	case active:
		if passed >= k.StableWindow {
			d.Why += "; the last one is kept for now"
			return 0, k.wanted
		}
		return 1, 1
	}
	if k.due(at, passed) {
		d.Why += fmt.Sprintf("; the last one was kept for %s", shown(passed))
		return 0, 0
	}
	d.Why += "; the last one is kept for now"
	return 0, k.wanted
}

// due tells whether the last replica's time is over: after the grace period and the
// retention, or already after the latter where the activator has been in the path for
// as long as the former.
func (k *KPA) due(at time.Time, inactiveFor time.Duration) bool {
	if inactiveFor >= max(k.Grace, k.Retention) {
		return true
	}
	return inactiveFor >= k.Retention && !k.life.proxied.IsZero() && at.Sub(k.life.proxied) >= k.Grace
}

// condition is the reconciler's view of what is wanted and what is ready.
func (k *KPA) condition(at time.Time, want, least, ready int) {
	if ready >= least {
		k.started = true
	}
	switch goesOn := want > 0 || k.life.state != inactive; {
	case want == 0:
		k.life.enter(inactive, at)
	case !goesOn:
	case ready < least:
		k.life.enter(activating, at)
	default:
		k.life.enter(active, at)
	}
}

// proxy follows whether the activator is in the path: at zero, and while the ready
// replicas have no room for a burst.
func (k *KPA) proxy(at time.Time, want int, o observed) {
	room := -1.0
	switch {
	case k.TargetBurst == 0:
		room = 0
	case k.TargetBurst > 0:
		room = math.Floor(float64(o.ready)*k.Total - k.TargetBurst - o.burst)
	}
	switch {
	case want != 0 && room >= 0:
		k.life.proxied = time.Time{}
	case k.life.proxied.IsZero():
		k.life.proxied = at
	}
}
