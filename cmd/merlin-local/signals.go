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

// lend leaves Ctrl-C to another program that has the terminal, until the returned function
// is called: it reaches every process of the terminal. The channel is interruptibleBy's.
// The signal is caught all the same, and not ignored, which that program would inherit.
func lend(signals chan os.Signal) (back func()) {
	unheard := make(chan os.Signal, 1)
	signal.Notify(unheard, endSignals()...) // none kills us between the next two
	signal.Stop(signals)
	for _, s := range endSignals() {
		if s != os.Interrupt {
			signal.Notify(signals, s)
		}
	}
	return func() {
		signal.Notify(signals, os.Interrupt)
		signal.Stop(unheard)
	}
}
