package proxy

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// exchange is one request and what happens to it, whatever engine carries it: it is
// routed, held, admitted, timed, and told as one event.Served. One goroutine owns
// it; only the counters and the clock are shared.
type exchange struct {
	server  *Server
	arrived time.Time
	clock   clock
	fact    event.Served

	model   *model   // nil where no host matched
	replica *replica // nil until one is picked
	path    string   // what the replica gets
	retype  bool     // its Content-Type, where it has one, becomes application/json
	held    bool
	failure error // what ended it early
	broken  bool  // the answer was broken off: the client saw no end of it

	unqueued  bool // it waits for no turn on the replica
	uncounted bool // it is the platform's, and in no metric
	untold    bool // it is in no event either

	reached, started, finished time.Time // queue-proxy, the container, its end

	in, out atomic.Int64 // body bytes
	strike  func()       // kills the container that has the request; nil where none is to be
	breaks  bool         // the answer's body is to break

	own    *refusal // the port's own answer
	logged *logged  // nil where nothing is logged

	recording Recording  // nil where nothing is captured, and once it has ended
	ending    sync.Mutex // of the recording, for who may come late
	query     string     // with its question mark; set where there is a recording
}

// arrive begins an exchange; leave must follow. The path is as the client encoded
// it, without the query: that may hold secrets, and events are recorded.
func (s *Server) arrive(method, host, path, proto string) *exchange {
	x := new(exchange)
	s.begin(x, method, host, path, proto)
	return x
}

// begin is arrive for who has an exchange that may be used again.
func (s *Server) begin(x *exchange, method, host, path, proto string) {
	s.reporter.stir()
	*x = exchange{
		server:  s,
		arrived: time.Now(),
		path:    path,
		fact:    event.Served{Method: method, Host: host, Path: path, Proto: proto},
	}
	if s.capture != nil {
		x.recording = s.capture.Begin()
	}
}

// find picks the model by host and path.
func (x *exchange) find() (refused *refusal) {
	w, refused := x.server.hosts.find(x.fact.Host, x.path)
	if refused != nil {
		return refused
	}
	x.model, x.path, x.retype = w.model, w.path, w.retype
	return nil
}

// admit waits for a replica and for the turn there; release must follow unless it
// is refused. ctx is the clock's. It calls waits when the first wait begins.
func (x *exchange) admit(ctx context.Context, waits func()) *refusal {
	if !x.unqueued {
		x.model.demand.enter(x.arrived)
	}
	refused := x.admitted(ctx, waits)
	if refused == nil {
		if refused = x.suffer(ctx, waits); refused != nil {
			x.replica.queue.leave()
			x.model.release(x.replica)
			x.finished = time.Now()
		}
	}
	if refused != nil && !x.unqueued {
		x.model.demand.leave(time.Now())
	}
	return refused
}

func (x *exchange) admitted(ctx context.Context, waits func()) *refusal {
	lined := false
	lines := func() { lined = true; waits() }
	r, refused, held := x.model.pick(ctx, lines)
	if x.held = held; held {
		x.fact.Held = time.Since(x.arrived)
	} else if lined {
		x.fact.Queued = time.Since(x.arrived)
	}
	if r == nil {
		if refused == nil {
			refused = x.ended(ctx)
		}
		return refused
	}
	x.replica, x.reached = r, x.arrived
	if held || x.model.throttles() {
		x.reached = time.Now()
	}
	x.started = x.reached
	if x.unqueued || r.queue == nil {
		return nil
	}
	lined = false
	err := r.queue.enter(ctx, lines)
	x.started = time.Now()
	if lined {
		x.fact.Queued += x.started.Sub(x.reached)
	}
	if err == nil {
		return nil
	}
	x.model.release(r)
	x.started = time.Time{}
	if errors.Is(err, errQueueFull) {
		return refuseQueueFull()
	}
	return x.ended(ctx)
}

// sent notes that the request was given to a connection of the replica, the last time
// where that is tried again.
func (x *exchange) sent() {
	x.fact.Sent = time.Since(x.arrived)
	if x.strike != nil {
		x.strikeNow()
	}
}

// heard notes that the header of the replica's answer came.
func (x *exchange) heard() { x.fact.FirstByte = time.Since(x.arrived) }

// release gives the replica back.
func (x *exchange) release() {
	if !x.unqueued {
		x.replica.queue.leave()
	}
	x.model.release(x.replica)
	x.finished = time.Now()
	if !x.unqueued {
		x.model.demand.leave(x.finished)
	}
}

// ended is the answer where ctx has ended before any other: nobody is there to
// read one unless it was the clock. A request that was held has the activator's
// clock over all of it, which strikes first in production; and where the whole
// chain is played, every request has.
func (x *exchange) ended(ctx context.Context) *refusal {
	switch {
	case !x.clock.struck() && x.started.IsZero():
		return refuseWaiterGone(gone(ctx))
	case !x.clock.struck():
		return refuseGone(gone(ctx))
	case x.held || x.model.Deployed:
		return refuseHeldTimeout()
	default:
		return refuseTimeout()
	}
}

// errGone is why a context ended whose client left.
var errGone = errors.New(event.LeftByClient)

func gone(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), errCut) {
		return errCut
	}
	return errGone
}

// refused notes an answer of the port's own.
func (x *exchange) refused(r *refusal) {
	x.fact.Status = r.status
	if r.models {
		x.out.Add(int64(len(r.body)))
	} else {
		x.own = r
	}
	x.fact.Error = r.why
	x.recordRefusal(r)
}

// leave ends the exchange and tells it.
func (x *exchange) leave() {
	defer x.depart()
	x.strikeNow() // the request never came to where it was to strike
	if x.untold {
		x.dropRecording()
		return
	}
	ended := x.finished
	if ended.IsZero() {
		ended = time.Now()
	}
	x.count(ended)
	x.log(ended)
	if x.held {
		x.server.waited(x.model.ID, Wait{x.arrived, ended, x.replica != nil && x.own == nil})
	}
	x.server.reporter.stir()
	f := x.fact
	f.ID = x.server.told.Add(1)
	f.Took = ended.Sub(x.arrived)
	f.BytesIn, f.BytesOut = x.in.Load(), x.out.Load()
	if f.Error == "" && x.failure != nil {
		f.Error = x.failure.Error()
	}
	id, revision := "", 0
	if x.model != nil {
		id = x.model.ID
	}
	if x.replica != nil {
		revision, f.Replica = x.replica.revision, x.replica.name
	}
	x.endRecording(id, revision, f)
	x.server.publisher.Publish(id, revision, f)
}
