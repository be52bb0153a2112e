package replay

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"golang.org/x/sync/semaphore"
)

// ErrEmpty says that a recording has no request.
var ErrEmpty = errors.New("it has no requests")

// budget is how many bytes of requests and recorded answers are in memory at most, from
// when they are read until they are answered. One that is larger is there alone.
const budget = 256 << 20

// job is one request to send.
type job struct {
	counted
	loop   int
	due    time.Duration // from the first one's time
	weight int64         // of the budget
	// freed is when there was room in the budget for it, where it had to wait for that.
	freed time.Time
}

// feed reads the recording, as often as is asked, and hands on what is to be sent.
type feed struct {
	*Options
	jobs   chan job
	budget *semaphore.Weighted
	tally  *tally
	clock  clock
	kept   kept
}

// kept are the requests of a recording that is small enough not to be read anew for
// every loop.
type kept struct {
	all   []counted
	bytes int64
	whole bool // all of them are there
	over  bool // they are too many
}

// mostKept is how many bytes of requests are kept from one loop to the next.
const mostKept = 32 << 20

func (k *kept) add(c *counted) {
	if k.bytes += c.size(); k.bytes > mostKept {
		k.over, k.all = true, nil
	}
	if !k.over {
		k.all = append(k.all, *c)
	}
}

// run returns when all is handed on, or ctx ends.
func (f *feed) run(ctx context.Context) error {
	defer close(f.jobs)
	for loop := 1; !f.ends(loop) && ctx.Err() == nil; loop++ {
		read, handed, err := f.loop(ctx, loop)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case read == 0:
			return ErrEmpty
		case handed == 0: // nor will another loop
			return nil
		}
		f.kept.whole = !f.kept.over
		f.tally.perLoop(handed)
		f.clock.loop(handed)
	}
	return nil
}

// loop hands on every request once that can be sent.
func (f *feed) loop(ctx context.Context, loop int) (read, handed int, err error) {
	all := f.counted()
	if f.Pace.Speed > 0 {
		all = byArrival(all)
	}
	for c, err := range all {
		if err != nil {
			return read, handed, err
		}
		read++
		j := job{counted: c, loop: loop}
		if err := f.prepare(&j); err != nil {
			f.tally.unsendable(&j, err)
			continue
		}
		if j.due, err = f.clock.due(&j.x); err != nil {
			return read, handed, fmt.Errorf("request %d: %w", j.nth, err)
		}
		if err := f.hand(ctx, j); err != nil {
			return read, handed, err
		}
		handed++
	}
	return read, handed, nil
}

// counted are the requests with their places, as many as are wanted.
func (f *feed) counted() iter.Seq2[counted, error] {
	return func(yield func(counted, error) bool) {
		if f.kept.whole {
			for _, c := range f.kept.all {
				if !yield(c, nil) {
					return
				}
			}
			return
		}
		n := 0
		for x, err := range f.Requests() {
			n++
			c := counted{n, x}
			if err == nil && !f.ends(2) {
				f.kept.add(&c)
			}
			if !yield(c, err) || err != nil || n == f.Limit {
				return
			}
		}
	}
}

// prepare aims a request, or says why it cannot be sent.
func (f *feed) prepare(j *job) (err error) {
	if err := Sendable(&j.x); err != nil {
		return err
	}
	if f.Aim != nil {
		j.x, err = f.Aim(j.x)
	}
	return err
}

// hand hands a job on, once there is room for it.
func (f *feed) hand(ctx context.Context, j job) error {
	j.weight = min(j.size(), budget)
	if !f.budget.TryAcquire(j.weight) {
		if err := f.budget.Acquire(ctx, j.weight); err != nil {
			return err
		}
		j.freed = time.Now()
	}
	select {
	case f.jobs <- j:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
