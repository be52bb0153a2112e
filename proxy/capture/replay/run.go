package replay

import (
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Run sends the requests by the options, and returns when the last has ended. An error is
// one of the recording, or that it has no request; the summary has what came of all that
// was read before. Where ctx ends no more are sent, those under way are given up, and
// that is no error.
func Run(ctx context.Context, o Options) (Summary, error) {
	r := &run{
		Options: &o,
		tally:   newTally(&o),
		budget:  semaphore.NewWeighted(budget),
		slots:   semaphore.NewWeighted(int64(o.InFlight())),
	}
	feeding, stop := context.WithCancel(ctx)
	f := &feed{Options: &o, jobs: make(chan job, 64), budget: r.budget, tally: r.tally, clock: clock{pace: o.Pace}}
	read := make(chan error, 1)
	go func() { read <- f.run(feeding) }()
	r.dispatch(ctx, f.jobs)
	stop()
	if o.Stop != nil {
		o.Stop()
	}
	err := <-read
	r.sending.Wait()
	summary := r.tally.summary(ctx.Err() != nil)
	if o.Pace.Rate > 0 && o.Duration > 0 && o.Loops == 0 && err == nil && summary.Ended && summary.Sent > 0 {
		due := int(math.Ceil(o.Pace.Rate * o.Duration.Seconds()))
		summary.Schedule.Missed = max(due-summary.Sent, 0)
	}
	return summary, err
}

// run is one replay.
type run struct {
	*Options
	tally   *tally
	budget  *semaphore.Weighted
	slots   *semaphore.Weighted
	sending sync.WaitGroup
	begin   time.Time // the first request's time
	free    time.Time // when there was room again, the last time that there was none
}

// dispatch sends each job at its time, until they or the time that is given end.
func (r *run) dispatch(ctx context.Context, jobs <-chan job) {
	until := ctx // no more are sent then; those under way have ctx
	for {
		var j job
		var more bool
		select {
		case j, more = <-jobs:
		case <-until.Done():
		}
		if !more {
			return
		}
		if r.begin.IsZero() {
			r.begin = time.Now()
			if r.Duration > 0 {
				var cancel context.CancelFunc
				until, cancel = context.WithDeadline(ctx, r.begin.Add(r.Duration))
				defer cancel()
			}
		}
		if !r.await(until, &j) {
			return
		}
		due, free := r.begin.Add(j.due), r.free
		r.sending.Go(func() { r.send(ctx, &j, due, free) })
	}
}

// await waits for a job's time and for a slot; false where until ended before.
func (r *run) await(until context.Context, j *job) bool {
	if r.Pace.open() {
		if r.Duration > 0 && j.due >= r.Duration {
			return false
		}
		if wait := time.Until(r.begin.Add(j.due)); wait > 0 {
			select {
			case <-time.After(wait):
			case <-until.Done():
				return false
			}
		}
	}
	if j.freed.After(r.free) {
		r.free = j.freed
	}
	if until.Err() != nil {
		return false
	}
	if r.slots.TryAcquire(1) {
		return true
	}
	began := time.Now()
	if r.slots.Acquire(until, 1) != nil {
		return false
	}
	r.free = time.Now()
	if r.Pace.open() {
		r.tally.waited(r.free.Sub(began))
	}
	return true
}

// send sends a job and tells what came of it. due is when it was to be sent, and free
// since when there was room for it.
func (r *run) send(ctx context.Context, j *job, due, free time.Time) {
	defer r.budget.Release(j.weight)
	sending, cancel := ctx, context.CancelFunc(func() {})
	if r.Timeout > 0 {
		sending, cancel = context.WithTimeout(ctx, r.Timeout)
	}
	defer cancel()
	now := time.Now()
	r.tally.sent(now)
	is, err := r.Send(sending, j.x)
	ended := time.Now()
	r.slots.Release(1)
	o := Outcome{Nth: j.nth, Loop: j.loop, Was: j.x, Is: is, Took: ended.Sub(now), Latency: ended.Sub(now)}
	s := sample{ended: ended}
	if r.Pace.open() {
		o.Latency = ended.Sub(due)
		s.late = now.Sub(due)
		if s.own = s.late; free.After(due) {
			s.own = now.Sub(free)
		}
	}
	r.judge(ctx, &o, err)
	r.tally.ended(&o, s)
}

// judge says what came of a request.
func (r *run) judge(ctx context.Context, o *Outcome, err error) {
	switch {
	case err != nil && ctx.Err() != nil:
		o.Kind = Interrupted
	case err != nil:
		o.Kind, o.Failure = Failed, failure(err)
		o.Is.Error = err.Error()
	case r.Compare == nil || !hasAnswer(&o.Was):
		o.Kind = Answered
	default:
		o.Result = r.Compare(o.Was, o.Is)
		if o.Kind = Differs; o.Result.Same() {
			o.Kind = Same
		}
	}
}

// hasAnswer tells whether there is a recorded answer to compare with. Where the client of
// then left, what there is of one says nothing.
func hasAnswer(x *event.Exchange) bool { return x.Status != 0 && x.Error != event.LeftByClient }
