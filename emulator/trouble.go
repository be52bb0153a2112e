package emulator

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// watch reports trouble of what runs the models until the returned function is called.
func (e *Emulator) watch() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := e.options.Runtime.Watch(ctx, func(f event.Fact) {
			if engine, ok := f.(event.Engine); ok {
				e.engineAway.Store(!engine.Answers)
			}
			e.options.Events.Publish("", 0, f)
		})
		if err != nil && ctx.Err() == nil {
			e.options.Events.Publish("", 0, event.Notice{
				Level: event.NoticeWarning, Text: "trouble of the Docker Engine will not be told: " + err.Error(),
			})
		}
	}()
	return func() { cancel(); <-done }
}

// conditions are those of the machine that all models share.
type conditions struct {
	engineAway atomic.Bool
}

// awayFirst doubles up to awayMost between two tries to start a container while the
// Engine does not answer.
const (
	awayFirst = 250 * time.Millisecond
	awayMost  = 2 * time.Second
)

// startAnswered starts a container, and tries again for as long as the Engine does not
// answer: that is no trouble of the model's.
func (p *pod) startAnswered(ctx context.Context) (Container, error) {
	for wait := awayFirst; ; wait = min(2*wait, awayMost) {
		container, err := p.start(ctx)
		if !errors.Is(err, ErrEngineAway) {
			return container, err
		}
		if wait == awayFirst {
			p.enter(podState{phase: event.PhaseStarting, why: ErrEngineAway.Error() + ": it is started once it does"})
		}
		if !pause(ctx, wait) {
			return nil, err
		}
	}
}
