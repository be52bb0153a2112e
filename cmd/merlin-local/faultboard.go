package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// faultBoard is what of faults is on in a session. One goroutine, that of run, owns it;
// the others ask.
type faultBoard struct {
	on    map[string]map[string]fault // by model, by kind
	apply func(ctx context.Context, model string, on []fault) error
	tell  func(model string, on []fault)

	asked  chan faultChange
	killed chan string // models whose container is killed
	over   chan struct{}
}

// fault is one that is on.
type fault struct {
	faultSpec
	since time.Time
	until time.Time // zero is the session's end
}

type faultChange struct {
	control.FaultRequest
	done chan<- error
}

// newFaultBoard returns one for these models. apply makes it so, and tell says it.
func newFaultBoard(models []string, apply func(context.Context, string, []fault) error, tell func(string, []fault)) *faultBoard {
	b := &faultBoard{
		on: map[string]map[string]fault{}, apply: apply, tell: tell,
		asked: make(chan faultChange), killed: make(chan string, 64), over: make(chan struct{}),
	}
	for _, model := range models {
		b.on[model] = map[string]fault{}
	}
	return b
}

// run does what is asked for, and ends what has its time, until ctx ends.
func (b *faultBoard) run(ctx context.Context) {
	defer close(b.over)
	for {
		timer := time.NewTimer(b.nextEnd())
		select {
		case change := <-b.asked:
			change.done <- b.change(ctx, change.FaultRequest)
		case model := <-b.killed:
			b.struck(ctx, model)
		case <-timer.C:
			b.expire(ctx)
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// ask has faults set or cleared, and waits until they are.
func (b *faultBoard) ask(ctx context.Context, asked control.FaultRequest) error {
	done := make(chan error, 1)
	select {
	case b.asked <- faultChange{asked, done}:
		return <-done
	case <-b.over:
		return errors.New("the session is ending")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// noteKill notes that the model's container is killed; it does not wait.
func (b *faultBoard) noteKill(model string) {
	select {
	case b.killed <- model:
	default: // a share of many requests: nothing ends with one of them
	}
}

// struck ends a kill that was for one request.
func (b *faultBoard) struck(ctx context.Context, model string) {
	on := maps.Clone(b.on[model])
	if on["kill"].text == "kill" {
		delete(on, "kill")
		_ = b.put(ctx, model, on) // a kill has no limit to restore
	}
}

// change does what is asked for, to all models or to none.
func (b *faultBoard) change(ctx context.Context, asked control.FaultRequest) error {
	specs, err := parseFaults(asked.Set)
	if err != nil {
		return err
	}
	if err := checkKinds(asked.Clear); err != nil {
		return err
	}
	models := slices.Sorted(maps.Keys(b.on))
	if asked.Model != "" {
		if models = []string{asked.Model}; b.on[asked.Model] == nil {
			return fmt.Errorf("there is no model %s", asked.Model)
		}
	}
	before := maps.Clone(b.on)
	for i, model := range models {
		if err := b.put(ctx, model, afterwards(before[model], asked, specs)); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", model, err), b.restore(ctx, before, models[:i+1]))
		}
	}
	return nil
}

// restore puts models back to what was on before.
func (b *faultBoard) restore(ctx context.Context, before map[string]map[string]fault, models []string) error {
	var errs []error
	for _, model := range models {
		if err := b.put(ctx, model, before[model]); err != nil {
			errs = append(errs, fmt.Errorf("%s is not as it was before: %w", model, err))
		}
	}
	return errors.Join(errs...)
}

// afterwards is what is on after a change.
func afterwards(before map[string]fault, asked control.FaultRequest, specs []faultSpec) map[string]fault {
	on := maps.Clone(before)
	if len(specs) == 0 && len(asked.Clear) == 0 {
		clear(on)
	}
	for _, kind := range asked.Clear {
		delete(on, kind)
	}
	now := time.Now()
	for _, spec := range specs {
		f := fault{faultSpec: spec, since: now}
		if asked.For > 0 {
			f.until = now.Add(asked.For)
		}
		on[spec.kind] = f
	}
	return on
}

// checkKinds refuses what no fault is called.
func checkKinds(kinds []string) error {
	for _, kind := range kinds {
		if known := faultKinds(); known[kind] == nil {
			return usageError{fmt.Errorf("%q is no kind of fault: they are %v", kind, slices.Sorted(maps.Keys(known)))}
		}
	}
	return nil
}

// put has a model's faults be these, and tells them where they are others.
func (b *faultBoard) put(ctx context.Context, model string, on map[string]fault) error {
	list := slices.SortedFunc(maps.Values(on), func(a, b fault) int { return cmp.Compare(a.kind, b.kind) })
	if err := b.apply(ctx, model, list); err != nil {
		return err
	}
	same := func(a, b fault) bool { return a.text == b.text && a.since.Equal(b.since) }
	if !maps.EqualFunc(on, b.on[model], same) {
		b.on[model] = on
		b.tell(model, list)
	}
	return nil
}

// expire ends what has its time.
func (b *faultBoard) expire(ctx context.Context) {
	now := time.Now()
	for _, model := range slices.Sorted(maps.Keys(b.on)) {
		on := maps.Clone(b.on[model])
		maps.DeleteFunc(on, func(_ string, f fault) bool { return f.ends() && !f.until.After(now) })
		if len(on) == len(b.on[model]) {
			continue
		}
		if err := b.put(ctx, model, on); err != nil { // what cannot be restored now may be at the next try
			for kind, f := range b.on[model] {
				if f.ends() && !f.until.After(now) {
					f.until = now.Add(time.Second)
					b.on[model][kind] = f
				}
			}
		}
	}
}

func (f fault) ends() bool { return !f.until.IsZero() }

// nextEnd is how long it takes until the next fault has its time.
func (b *faultBoard) nextEnd() time.Duration {
	next := time.Hour // nothing happens then
	for _, on := range b.on {
		for _, f := range on {
			if f.ends() {
				next = min(next, time.Until(f.until))
			}
		}
	}
	return next
}

// facts are faults as they are told.
func facts(on []fault) event.Faults {
	told := event.Faults{On: []event.Fault{}}
	for _, f := range on {
		fact := event.Fault{Kind: f.kind, Spec: f.text, Since: f.since.UTC()}
		if f.ends() {
			until := f.until.UTC()
			fact.Until = &until
		}
		told.On = append(told.On, fact)
	}
	return told
}
