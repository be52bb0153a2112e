package emulator

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Options are what an Emulator works with. All but Examiner, Scraper, Force, Clock,
// Demand, DebugPorts, PushURLs, TimeScale and Serving are needed.
type Options struct {
	Models  []*Model
	Runtime Runtime
	Router  Router
	Prober  Prober
	// Examiner may be nil: then a model that is not ready is told by its probe, its
	// log and its sockets alone.
	Examiner Examiner
	// Scraper may be nil: then nobody asks the models for their own metrics.
	Scraper Scraper
	Stager  Stager
	Shell   Shell
	Events  event.Publisher

	// Grace is how long running requests have to finish, and then again how long
	// a replica has between SIGTERM and SIGKILL.
	Grace time.Duration
	// ProductionGrace plays production's instead: 30 s without a request before
	// SIGTERM, and then the revision's timeout.
	ProductionGrace bool
	// FirstExitFails makes a failure of a container's end before the model was ever
	// ready. Else it is started again, as in production, until the deadline.
	FirstExitFails bool
	// Deadline is Merlin's deployment timeout: how long a model has to become
	// ready once its image and artifact are there.
	Deadline time.Duration
	// NoLimits starts containers without their limits of CPU and memory.
	NoLimits bool
	// Clock tells the time, sleeps of the machine included; time.Now where it is nil.
	Clock func() time.Time
	// Watcher reports the models' edits; where it is nil, only Reload makes a new
	// revision.
	Watcher Watcher
	// Memory is what the machine of the containers has, in bytes; 0 is not known.
	Memory int64
	// Demand asks the port for a model's traffic; where it is nil, nothing scales.
	Demand func(model string) Demand
	// DebugPorts are where editors find the debuggers, by model.
	DebugPorts map[string]DebugPort
	// PushURLs are where models push their metrics, by model, as http://HOST:PORT.
	PushURLs map[string]string
	// TimeScale has the autoscalers' windows and delays pass so many times faster than
	// in production; 0 is 1.
	TimeScale float64
	// Serving is called once a revision has taken over, or is the first that serves, behind its
	// event. It must not block; nil is nobody to be called.
	Serving func(model string, revision int)
	// Force, once closed, cuts every grace period short.
	Force <-chan struct{}
}

// Shell runs a command of the user's on this host, as a shell would, and ends it
// with all its children when ctx does.
type Shell interface {
	Run(ctx context.Context, dir, command string, stdout, stderr io.Writer) error
}

// Emulator keeps the models of one session running.
type Emulator struct {
	options     Options
	supervisors []*supervisor
	conditions
}

// New returns an Emulator; it starts nothing.
func New(options Options) *Emulator {
	e := &Emulator{options: options}
	for _, model := range options.Models {
		e.supervisors = append(e.supervisors, newSupervisor(model, &e.options, &e.conditions))
	}
	return e
}

// Retry starts the containers that wait to be started again now. Where none of the
// model waits it does nothing; it is an error where there is no such model.
func (e *Emulator) Retry(model string) error {
	s := e.supervisor(model)
	if s == nil {
		return fmt.Errorf("there is no model %s", model)
	}
	select {
	case s.retries <- struct{}{}:
	default: // one is on its way
	}
	return nil
}

func (e *Emulator) supervisor(model string) *supervisor {
	for _, s := range e.supervisors {
		if s.id == model {
			return s
		}
	}
	return nil
}

// Run starts every model and keeps it serving until ctx ends, which is no error.
// It returns early with the first model's failure: an image that cannot be made, the
// deadline, or with FirstExitFails an exit before the model was ever ready. When it returns, everything
// that it started has ended and is removed.
func (e *Emulator) Run(ctx context.Context) error {
	if err := e.options.Runtime.Sweep(ctx); err != nil {
		return fmt.Errorf("clean up what an earlier session left: %w", err)
	}
	defer e.watch()()
	group, ctx := errgroup.WithContext(ctx)
	sleeping, awake := context.WithCancel(ctx)
	var clock sync.WaitGroup
	clock.Go(func() { e.watchSleep(sleeping) })
	defer clock.Wait()
	defer awake()
	for _, s := range e.supervisors {
		group.Go(func() error { return s.run(ctx) })
	}
	return group.Wait()
}
