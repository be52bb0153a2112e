package emulator

import (
	"context"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

const (
	// sleepTick is how often the clock is looked at.
	sleepTick = 10 * time.Second
	// sleepLeast is what a machine may be late without having slept.
	sleepLeast = 15 * time.Second
)

// overslept is how much later it is than it should be; 0 where that can be a busy
// machine's delay. It goes by the wall clock: while a machine sleeps, timers and the
// monotonic clock stand still on Linux and macOS, and go on on Windows.
func overslept(begun, now time.Time, should time.Duration) time.Duration {
	if late := now.Round(0).Sub(begun.Round(0)) - should; late >= sleepLeast {
		return late
	}
	return 0
}

func (o *Options) now() time.Time {
	if o.Clock != nil {
		return o.Clock()
	}
	return time.Now()
}

// watchSleep tells when the machine stood still, until ctx ends.
func (e *Emulator) watchSleep(ctx context.Context) {
	tick := time.NewTicker(sleepTick)
	defer tick.Stop()
	for last := e.options.now(); ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now := e.options.now()
		if late := overslept(last, now, sleepTick); late > 0 {
			e.options.Events.Publish("", 0, event.Slept{Took: late})
			for _, s := range e.supervisors {
				s.overslept(late)
			}
		}
		last = now
	}
}

// overslept tells the supervisor that its machine slept. What it has not yet heeded adds up.
func (s *supervisor) overslept(slept time.Duration) {
	for {
		select {
		case s.sleeps <- slept:
			return
		case before := <-s.sleeps:
			slept += before
		}
	}
}

// deadline is until when a model has to be ready. Time that the machine slept does not
// count.
type deadline struct {
	*supervisor
	until   time.Time // by the wall clock
	timer   *time.Timer
	lenient bool // a sleep that is not yet told was seen
}

func (s *supervisor) newDeadline() *deadline {
	d := &deadline{supervisor: s, until: s.now().Add(s.Deadline), timer: time.NewTimer(s.Deadline)}
	d.tell()
	return d
}

func (d *deadline) tell() { d.publish(event.Deploying{Deadline: d.until.UTC()}) }

func (d *deadline) left() time.Duration { return d.until.Round(0).Sub(d.now().Round(0)) }

func (d *deadline) move(slept time.Duration) {
	if d.everUp {
		return
	}
	d.until = d.until.Add(slept)
	d.timer.Reset(max(d.left(), 0))
	d.tell()
}

// renew gives a model that was never ready all its time again: it is made anew.
func (d *deadline) renew() {
	if d.everUp || d.next == nil {
		return
	}
	d.until = d.now().Add(d.Deadline)
	d.timer.Reset(d.Deadline)
	d.tell()
}

// passed tells, when the timer has fired, whether the time is over. A sleep that nobody
// has told of yet is told within a tick.
func (d *deadline) passed() bool {
	switch left := d.left(); {
	case left > 0:
		d.timer.Reset(left)
		return false
	case left <= -sleepLeast && !d.lenient:
		d.lenient = true
		d.timer.Reset(sleepTick)
		return false
	}
	return true
}
