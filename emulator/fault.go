package emulator

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// Sabotage is what a model suffers besides its requests because somebody asked for it;
// the zero value is nothing.
type Sabotage struct {
	// Readiness and Liveness have those probes fail, without asking the container.
	Readiness, Liveness bool
	// Staging is how long it takes longer until an artifact is staged.
	Staging time.Duration
	// CPUMillis is the limit of every container in thousandths of a core, where its own is
	// not less; 0 leaves it that.
	CPUMillis int64
}

// Frail is a Container that faults can be played on. Where a method cannot do its work
// on this machine it returns errors.ErrUnsupported.
type Frail interface {
	// Freeze stops all of its processes until Kill.
	Freeze(ctx context.Context) error
	// Kill ends it at once, frozen or not. Its end comes from Exited, as any other.
	Kill(ctx context.Context) error
	// Squeeze limits its CPU, in thousandths of a core; with 0 to what it was started
	// with.
	Squeeze(ctx context.Context, cpuMillis int64) error
}

// Saboteur plays faults on models by standing before what an Emulator works with. Its
// methods are safe for concurrent use; Close is the last one that is called.
type Saboteur struct {
	warn func(model string, err error)

	mu      sync.Mutex
	models  map[string]Sabotage
	changed chan struct{} // closed and renewed by Set
	running map[netip.AddrPort]*frail
	strikes sync.WaitGroup
}

// NewSaboteur returns one that does nothing yet. It calls warn where a fault cannot be
// played on a container.
func NewSaboteur(warn func(model string, err error)) *Saboteur {
	return &Saboteur{warn: warn, models: map[string]Sabotage{}, changed: make(chan struct{}), running: map[netip.AddrPort]*frail{}}
}

// Set does that to the model from now on; the zero Sabotage ends it, and gives its
// containers their own limit back. A staging that waits takes as long as is asked for
// now. An error names the containers whose limit is not as it should be.
func (s *Saboteur) Set(ctx context.Context, model string, to Sabotage) error {
	s.mu.Lock()
	s.models[model] = to
	close(s.changed)
	s.changed = make(chan struct{})
	var touched []*frail
	for _, c := range s.running {
		if c.model == model {
			touched = append(touched, c)
		}
	}
	s.mu.Unlock()
	var errs []error
	for _, c := range touched {
		errs = append(errs, c.settle(ctx))
	}
	return errors.Join(errs...)
}

func (s *Saboteur) of(model string) Sabotage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.models[model]
}

// change is closed with the next Set.
func (s *Saboteur) change() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

func (s *Saboteur) at(address netip.AddrPort) *frail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running[address]
}

// strikeLimit is how long a kill may take.
const strikeLimit = 30 * time.Second

// Kill freezes the replica, so that it answers nothing any more, and returns what kills
// it; that does not block. A replica that cannot be frozen may be faster than its end.
func (s *Saboteur) Kill(ctx context.Context, model string, replica netip.AddrPort) (strike func()) {
	c := s.at(replica)
	if c == nil {
		return func() {} // it has just ended
	}
	target, can := c.Container.(Frail)
	if !can {
		s.warn(model, errors.New("fault kill: what runs the model has no kill"))
		return func() {}
	}
	if err := target.Freeze(ctx); err != nil && !errors.Is(err, errors.ErrUnsupported) && ctx.Err() == nil {
		s.warn(model, fmt.Errorf("fault kill: the container may answer before it is killed: %w", err))
	}
	return func() {
		s.strikes.Go(func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), strikeLimit)
			defer cancel()
			c.killed.Store(true)
			if err := target.Kill(ctx); err != nil {
				s.warn(model, fmt.Errorf("fault kill: %w", err))
			}
		})
	}
}

// Close waits for the kills that are on their way.
func (s *Saboteur) Close() { s.strikes.Wait() }

// Runtime returns one whose containers faults are played on, those too that it starts
// while one is on.
func (s *Saboteur) Runtime(r Runtime) Runtime { return frailRuntime{r, s} }

type frailRuntime struct {
	Runtime
	saboteur *Saboteur
}

func (r frailRuntime) Start(ctx context.Context, spec ContainerSpec) (Container, error) {
	started, err := r.Runtime.Start(ctx, spec)
	if err != nil {
		return nil, err
	}
	s := r.saboteur
	c := newFrail(s, started, spec)
	s.mu.Lock()
	s.running[c.Address()] = c
	s.mu.Unlock()
	if err := c.settle(ctx); err != nil {
		s.warn(c.model, err)
	}
	return c, nil
}
