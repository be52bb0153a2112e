package replay

import (
	"context"
	"iter"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture/compare"
)

// Options say what is sent, when, and what is made of the answers.
type Options struct {
	// Requests gives the requests of a recording, from its beginning each time. An error
	// that it yields ends it.
	Requests func() iter.Seq2[event.Exchange, error]
	// Stop, where it is not nil, ends a read of Requests that may be waiting: it is called
	// once no more is sent.
	Stop func()
	// Aim makes of a captured request the one to send; an error says why it cannot be
	// sent, an Unsendable with its kind. Nil sends them as they are.
	Aim func(event.Exchange) (event.Exchange, error)
	// Send is Client.Send, or its like. It is called by many goroutines.
	Send func(context.Context, event.Exchange) (event.Exchange, error)
	Pace Pace
	// Concurrency is how many requests are under way at most: 1 where it is 0, and
	// mostInFlight at a pace.
	Concurrency int
	Loops       int           // over all requests: 1 where it is 0, without end where Duration is set
	Limit       int           // of requests a loop; 0 is none
	Duration    time.Duration // after which no more are sent; 0 is none
	Timeout     time.Duration // of each request; 0 is none
	// Compare tells how an answer differs from the captured one; nil where none is compared.
	Compare func(was, is event.Exchange) compare.Result
	// Each is told of every request that has ended, one at a time; may be nil. It returns soon.
	Each func(Outcome, Progress)
}

// mostInFlight is how many requests are under way at most where nothing else is said and
// they come by a schedule.
const mostInFlight = 1000

// InFlight is how many requests are under way at most.
func (o *Options) InFlight() int {
	switch {
	case o.Concurrency > 0:
		return o.Concurrency
	case o.Pace.open():
		return mostInFlight
	}
	return 1
}

// ends tells whether the loop of this number is not to begin.
func (o *Options) ends(loop int) bool {
	if o.Loops == 0 && o.Duration > 0 {
		return false
	}
	return loop > max(o.Loops, 1)
}

// Outcome is what came of one request.
type Outcome struct {
	Nth  int // of the recording's requests, from 1
	Loop int // from 1
	Was  event.Exchange
	Is   event.Exchange
	Kind Kind
	// Failure is why there is no whole answer, a word of a few.
	Failure string
	Result  compare.Result // where Kind is Same or Differs
	// Latency is from when it was to be sent to its end; Took from when it was sent.
	Latency, Took time.Duration
}

// Kind is the outcome in a word.
type Kind string

// The kinds of outcome.
const (
	Same        Kind = "same"    // as recorded
	Differs     Kind = "differs" // there is a whole answer, and another one
	Answered    Kind = "answered"
	Failed      Kind = "failed"      // no whole answer
	Interrupted Kind = "interrupted" // by whoever ended the replay
)

// Progress is how far a replay is.
type Progress struct {
	Sent, Ended, Failed, Differs int
	PerLoop                      int // requests of a loop; 0 before the first is read
}
