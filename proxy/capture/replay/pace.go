package replay

import (
	"container/heap"
	"errors"
	"iter"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Pace says when requests are sent. The zero value sends the next when there is room for
// it: a closed loop. Else each has its time, which no answer defers: an open loop.
type Pace struct {
	Rate  float64 // a second
	Speed float64 // of the recording: 2 is twice as fast
}

func (p Pace) open() bool { return p.Rate > 0 || p.Speed > 0 }

// errNoTime says that a recording has no pace.
var errNoTime = errors.New("it does not say when it arrived, so there is no recorded pace: use --rate, or send one by one")

// clock gives each request its time, counted from the first one.
type clock struct {
	pace  Pace
	count int
	first time.Time     // arrival of the loop's first
	base  time.Duration // when the loop began
	last  time.Duration
}

// loop begins another loop, which follows the one before as its requests follow each other.
func (c *clock) loop(requests int) {
	if c.pace.Speed > 0 {
		gap := duration(float64(time.Second) / c.pace.Speed) // where all came in one moment
		if c.last > c.base {
			gap = (c.last - c.base) / time.Duration(requests-1)
		}
		c.last += gap
		c.base = c.last
	}
	c.first = time.Time{}
}

// due is when a request is to be sent.
func (c *clock) due(x *event.Exchange) (time.Duration, error) {
	switch {
	case c.pace.Rate > 0:
		c.last = duration(float64(c.count) / c.pace.Rate * float64(time.Second))
		c.count++
	case c.pace.Speed > 0:
		if x.Arrived.IsZero() {
			return 0, errNoTime
		}
		if c.first.IsZero() {
			c.first = x.Arrived
		}
		c.last = max(c.last, c.base+duration(float64(x.Arrived.Sub(c.first))/c.pace.Speed))
	}
	return c.last, nil
}

// farthest is how far ahead a time may be: a century, which can be added to without harm.
const farthest = 100 * 365 * 24 * time.Hour

// duration is so many nanoseconds, within bounds.
func duration(ns float64) time.Duration {
	return time.Duration(min(max(ns, 0), float64(farthest)))
}

// The window in which requests are brought into the order of their arrival: a recording
// has them in the order of their end.
const (
	windowRequests = 2000
	windowBytes    = 64 << 20
)

// counted is a request and its place in the recording, from 1.
type counted struct {
	nth int
	x   event.Exchange
}

// size is about what it takes of memory.
func (c *counted) size() int64 {
	return 4<<10 + int64(len(c.x.Request.Body)+len(c.x.Answer.Body))
}

// arrivals are requests, the first to arrive on top.
type arrivals []counted

func (a arrivals) Len() int { return len(a) }
func (a arrivals) Less(i, j int) bool {
	if t, u := a[i].x.Arrived, a[j].x.Arrived; !t.Equal(u) {
		return t.Before(u)
	}
	return a[i].nth < a[j].nth
}
func (a arrivals) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *arrivals) Push(x any)   { *a = append(*a, x.(counted)) }
func (a *arrivals) Pop() any {
	last := len(*a) - 1
	c := (*a)[last]
	(*a)[last] = counted{} // its bodies are let go
	*a = (*a)[:last]
	return c
}

// byArrival brings requests into the order of their arrival, within the window. An error
// comes after all that was read before it.
func byArrival(all iter.Seq2[counted, error]) iter.Seq2[counted, error] {
	return func(yield func(counted, error) bool) {
		var waiting arrivals
		var bytes int64
		next := func() bool {
			c := heap.Pop(&waiting).(counted)
			bytes -= c.size()
			return yield(c, nil)
		}
		var failed error
		for c, err := range all {
			if err != nil {
				failed = err
				break
			}
			heap.Push(&waiting, c)
			for bytes += c.size(); len(waiting) > windowRequests || bytes > windowBytes; {
				if !next() {
					return
				}
			}
		}
		for len(waiting) > 0 {
			if !next() {
				return
			}
		}
		if failed != nil {
			yield(counted{}, failed)
		}
	}
}
