package emulator

import (
	"context"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Options are what an Emulator works with. All but Force are needed.
type Options struct {
	Models  []*Model
	Runtime Runtime
	Router  Router
	Prober  Prober
	Stager  Stager
	Shell   Shell
	Events  event.Publisher

	// Grace is how long running requests have to finish, and then again how long
	// a replica has between SIGTERM and SIGKILL.
	Grace time.Duration
	// Deadline is Merlin's deployment timeout: how long a model has to become
	// ready once its image and artifact are there.
	Deadline time.Duration
	// Force, once closed, cuts every grace period short.
	Force <-chan struct{}
}

// Shell runs a command of the user's on this host, as a shell would, and ends it
// with all its children when ctx does.
type Shell interface {
	Run(ctx context.Context, dir, command string, stdout, stderr io.Writer) error
}

// Emulator keeps the models of one session running.
type Emulator struct{ options Options }

// New returns an Emulator; it starts nothing.
func New(options Options) *Emulator { return &Emulator{options} }

// Run starts every model and keeps it serving until ctx ends, which is no error.
// It returns early with the first model's failure: an image that cannot be made, an
// exit before the model was ever ready, or the deadline. When it returns, everything
// that it started has ended and is removed.
func (e *Emulator) Run(ctx context.Context) error {
	if err := e.options.Runtime.Sweep(ctx); err != nil {
		return fmt.Errorf("clean up what an earlier session left: %w", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, model := range e.options.Models {
		s := newSupervisor(model, &e.options)
		group.Go(func() error { return s.run(ctx) })
	}
	return group.Wait()
}
