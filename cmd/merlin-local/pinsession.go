package main

import (
	"context"
	"errors"
	"net/url"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/config"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
	"github.com/caraml-dev/merlin-local/proxy/capture/compare"
	"github.com/caraml-dev/merlin-local/proxy/capture/pins"
	"github.com/caraml-dev/merlin-local/proxy/capture/replay"
)

// pinTimeout is how long a pin waits for its answer.
const pinTimeout = time.Minute

// pinRunner replays the repo's pins through the session's port on each revision that serves,
// one request at a time, and tells how they do. A newer revision, or a change of the pins,
// ends a replay and begins another.
type pinRunner struct {
	store  pins.Store
	stream *event.Stream
	state  func() *session.State
	hidden func(event.Exchange) event.Exchange

	mu      sync.Mutex
	rules   rulesOfModels
	serving map[string]int // the revision by model
	due     map[string]bool
	running string // the model whose pins are replayed
	stop    context.CancelFunc
	bell    chan struct{}
}

// newPinRunner makes the runner of a session, and follows its configuration.
func (s *upSession) newPinRunner(file *config.File) *pinRunner {
	return &pinRunner{
		store: pins.At(file.Dir), stream: s.stream, state: s.state, hidden: s.hidden(file.Capture),
		rules: rulesOfFile(file), serving: map[string]int{}, due: map[string]bool{}, bell: make(chan struct{}, 1),
	}
}

// follow takes the rules of a configuration that was read again.
func (r *pinRunner) follow(file *config.File) {
	r.mu.Lock()
	rules := rulesOfFile(file)
	same := reflect.DeepEqual(rules, r.rules)
	r.rules = rules
	r.mu.Unlock()
	if !same {
		r.again()
	}
}

// serves is told that a revision answers. It does not block.
func (r *pinRunner) serves(model string, revision int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.serving[model] = revision
	r.want(model)
}

// again replays all pins, on what serves.
func (r *pinRunner) again() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for model := range r.serving {
		r.want(model)
	}
}

// want is called with the lock held.
func (r *pinRunner) want(model string) {
	r.due[model] = true
	if r.running == model {
		r.stop()
	}
	select {
	case r.bell <- struct{}{}:
	default: // it rings already
	}
}

// run replays what is due until ctx ends.
func (r *pinRunner) run(ctx context.Context) {
	for {
		select {
		case <-r.bell:
		case <-ctx.Done():
			return
		}
		for {
			one, model, revision := r.take(ctx)
			if one == nil {
				break
			}
			r.replay(one, model, revision)
			r.leave()
		}
	}
}

// take is the next model whose pins are due, with a context that a newer revision of it ends; nil
// where there is none.
func (r *pinRunner) take(ctx context.Context) (one context.Context, model string, revision int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ctx.Err() != nil || len(r.due) == 0 {
		return nil, "", 0
	}
	for id := range r.due {
		if model == "" || id < model {
			model = id
		}
	}
	delete(r.due, model)
	r.running = model
	one, r.stop = context.WithCancel(ctx)
	return one, model, r.serving[model]
}

func (r *pinRunner) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stop()
	r.running = ""
}

// replay replays a model's pins and tells how they do; nothing where it is ended before.
func (r *pinRunner) replay(ctx context.Context, model string, revision int) {
	r.mu.Lock()
	rules := r.rules
	r.mu.Unlock()
	all, err := r.store.All()
	state := r.state()
	if len(all) == 0 && err == nil && state.Model(model).Pins == nil {
		return
	}
	p := pinReplay{state: state, rules: rules, hidden: r.hidden}
	told := event.Pins{Verdicts: p.run(ctx, all, model, nil)}
	if err != nil {
		told.Error = err.Error()
	}
	if ctx.Err() == nil {
		r.stream.Publish(model, revision, told)
	}
}

// pinReplay replays pins against a session that runs.
type pinReplay struct {
	state  *session.State
	rules  rulesOfModels
	hidden func(event.Exchange) event.Exchange
}

// run replays the pins of a model, of all models where that is empty. each is told of every verdict;
// it may be nil.
func (p *pinReplay) run(ctx context.Context, all []pins.Pin, model string, each func(pins.Pin, event.Exchange, event.PinVerdict)) []event.PinVerdict {
	client := steady(p.state)
	defer client.Close()
	verdicts := []event.PinVerdict{}
	for _, pin := range all {
		x, err := aimerAt(p.state).Aim(pin.Exchange)
		if model != "" && x.Model != model {
			continue
		}
		var is event.Exchange
		if err == nil {
			is, err = sendPin(ctx, client, x)
		}
		if ctx.Err() != nil {
			break
		}
		is = p.hidden(is)
		v := pin.Judge(is, err, p.rules.of(x.Model))
		verdicts = append(verdicts, v)
		if each != nil {
			each(pin, is, v)
		}
	}
	return verdicts
}

func sendPin(ctx context.Context, client *replay.Steady, x event.Exchange) (event.Exchange, error) {
	ctx, cancel := context.WithTimeout(ctx, pinTimeout)
	defer cancel()
	is, err := client.Send(ctx, x)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = errors.New("no answer within " + pinTimeout.String())
	}
	return is, err
}

// steady sends requests to a session's port, one after the other.
func steady(state *session.State) *replay.Steady {
	return replay.NewSteady(&url.URL{Scheme: "http", Host: state.Address})
}

// aimerAt aims requests at the models of a session.
func aimerAt(state *session.State) *replay.Aimer {
	a := &replay.Aimer{}
	for _, m := range state.Models {
		a.Models = append(a.Models, replayed(m))
	}
	return a
}

// of are the rules of a model's answers.
func (r rulesOfModels) of(model string) compare.Rules {
	if rules, known := r[model]; known {
		return rules
	}
	return r[""]
}

// failing are the names of the pins that do not pass.
func failing(verdicts []event.PinVerdict) []string {
	var names []string
	for _, v := range verdicts {
		if v.Outcome != event.PinPass {
			names = append(names, v.Name)
		}
	}
	return slices.Clip(names)
}
