package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
)

// interruptible returns a context that the first of the usual signals ends, and a
// channel that the second closes.
func interruptible(ctx context.Context) (_ context.Context, force <-chan struct{}, stop func()) {
	return interruptibleBy(ctx, make(chan os.Signal, 2))
}

// interruptibleBy hears the signals on that channel, which has room for two; what others
// send there counts as a signal.
func interruptibleBy(ctx context.Context, signals chan os.Signal) (_ context.Context, force <-chan struct{}, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	signal.Notify(signals, endSignals()...)
	forced, done := make(chan struct{}), make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-signals:
			cancel()
		case <-done:
			return
		}
		select {
		case <-signals:
			close(forced)
		case <-done:
		}
	})
	return ctx, forced, func() {
		signal.Stop(signals)
		close(done)
		watching.Wait()
		cancel()
	}
}
