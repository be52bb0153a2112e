package proxy

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// errCut is why a request ended that ran longer than the drain may take.
var errCut = errors.New("cut: the port stopped and the request did not end in time")

// leave ends what runs after the door was shut: running requests finish, at most
// within the drain timeout.
func (s *Server) leave(ctx context.Context, cut context.CancelCauseFunc, d *door, engines ...engine) {
	bounded, cancel := context.WithTimeout(ctx, s.drainTimeout)
	defer cancel()
	var draining sync.WaitGroup
	for _, e := range engines {
		draining.Go(func() { e.drain(bounded) })
	}
	if d.wait(bounded) != nil {
		left := d.left()
		cut(errCut) // first, so that requests know why they end
		d.cut()
		if left > 0 {
			s.tellCut(left)
		}
		_ = d.wait(ctx)
	}
	cancel() // the engines look for the end by polling: it is here already
	draining.Wait()
	for _, e := range engines {
		e.wait()
	}
	for _, m := range s.models {
		m.route(0, nil)
	}
}

func (s *Server) tellCut(connections int) {
	s.publisher.Publish("", 0, event.Notice{
		Level: event.NoticeWarning,
		Text:  fmt.Sprintf("%d connections were cut: their requests still ran %s after the stop", connections, s.drainTimeout),
	})
}
