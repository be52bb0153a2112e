package proxy

import (
	"context"
	"net"
)

// engine carries the requests of one protocol between clients and replicas. What
// may happen to a request it asks the exchange; it decides nothing of that itself.
//
// It takes every request through its exchange in this order. Any call that returns
// a refusal ends the request with that answer: exchange.refused, then its wire status,
// header and body as they are; with statusGone there may be nobody to send it to.
//
//	x := server.arrive(…), and x.leave() at the very end
//	x.logged = …              only where server.logs(), from the header as it came
//	x.query, x.record(…)      only where x.recording: the header as it came; then every
//	                          part of both sides where it passes, bodies by x.uploads and
//	                          x.answers, which count them too
//	x.find()
//	x.probe(ctx, header)      before any wait; what it answers is not for the container
//	x.clock.start(…)          or set, and due in time, for who keeps the time himself
//	x.admit(ctx, waits)       then x.release() as soon as the answer is complete
//	x.path, x.model, x.retype what forwardHeaders and rewrite make of the request
//	x.sent()                  once a connection of the replica has it
//	x.heard()                 once the header of the final answer is there
//	x.clock.stop()            before every header of the answer, 1xx too; not before a 101
//	x.clock.touch()           before every part of its body
//
// Where stop says no, x.ended is the answer. Where touch says no, or ctx ends and
// the clock has lapsed, the timeout's text is appended and the answer ends well.
// x.fact.Status is set with the final header, x.failure with what ended an answer
// early, and x.broken where the client saw no end of it. After leave the exchange
// may be used again only where its clock was never started with a timer.
type engine interface {
	// accept serves the connections of ln until ln ends, and waits for none.
	accept(ln net.Listener)
	// drain ends idle connections, and others after their running request. It
	// returns when it has ended all, or ctx has ended.
	drain(ctx context.Context)
	// wait returns when no request runs. All connections have ended before.
	wait()
}
