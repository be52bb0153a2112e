package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture/bundle"
	"github.com/caraml-dev/merlin-local/proxy/capture/pins"
	"github.com/caraml-dev/merlin-local/proxy/capture/replay"
)

// exchanges takes the requests, with what was answered and what should have been.
func (s *bundling) exchanges(ctx context.Context) error {
	answered, expected, err := s.asked(ctx)
	if err != nil {
		return err
	}
	if len(answered) == 0 && s.manifest.Failure == nil {
		return usageError{errors.New("there is no failed request to take along, and none was named: name some with --request N or --from FILE")}
	}
	for i := range answered {
		answered[i].ID = uint64(i + 1)
	}
	s.manifest.Asked, s.manifest.Known = len(answered), len(expected)
	if err := s.addExchanges(bundle.Requests, answered); err != nil || len(expected) == 0 {
		return err
	}
	return s.addExchanges(bundle.Expected, expected)
}

func (s *bundling) addExchanges(name string, all []event.Exchange) error {
	if len(all) == 0 {
		return nil
	}
	var text strings.Builder
	if err := writeExchanges(&text, all); err != nil {
		return err
	}
	return s.add(name, []byte(text.String()))
}

// asked gives the requests as they were answered here. Those that should have come have
// the number that the answered one of the same request will have.
func (s *bundling) asked(ctx context.Context) (answered, expected []event.Exchange, err error) {
	if answered, err = s.captured(ctx); err != nil {
		return nil, nil, err
	}
	client := steady(s.state)
	defer client.Close()
	for want, err := range s.wanted() {
		if err != nil {
			return nil, nil, err
		}
		aimed, err := aimerAt(s.state).Aim(want)
		if err != nil {
			return nil, nil, err
		}
		if aimed.Model != s.model.ID {
			continue
		}
		is, err := client.Send(ctx, aimed)
		if is.Status == 0 && err != nil {
			return nil, nil, err
		}
		answered = append(answered, s.hide(is))
		if hasAnswer(want) {
			want.ID = uint64(len(answered))
			expected = append(expected, want)
		}
	}
	return answered, expected, nil
}

// captured are the requests of the session that are taken along.
func (s *bundling) captured(ctx context.Context) (all []event.Exchange, err error) {
	ids := s.requests
	if len(ids) == 0 && s.from == "" && !s.pins {
		if ids, err = s.failed(ctx); err != nil {
			return nil, err
		}
	}
	for _, id := range ids {
		x, err := s.session.Exchange(ctx, uint64(id))
		if err != nil {
			return nil, err
		}
		if err := replay.Sendable(&x); err != nil {
			return nil, fmt.Errorf("request %d cannot be sent again elsewhere: %w", id, err)
		}
		all = append(all, x)
	}
	return all, nil
}

// wanted are the requests that are to be sent now, with the answers that should come, as
// far as these are known.
func (s *bundling) wanted() iter.Seq2[event.Exchange, error] {
	return func(yield func(event.Exchange, error) bool) {
		if s.pins {
			all, err := pins.At(s.state.Dir).All()
			if err != nil && !yield(event.Exchange{}, err) {
				return
			}
			for _, p := range all {
				if p.Expect != pins.SameAnswer {
					p.Exchange.Status = 0 // what was answered is not what should come
				}
				if !yield(p.Exchange, nil) {
					return
				}
			}
		}
		if s.source == nil {
			return
		}
		for x, err := range s.source.requests() {
			if err != nil {
				err = fmt.Errorf("%s: %w", s.from, err)
			}
			if !yield(x, err) {
				return
			}
		}
	}
}

// mostFailed is how many failed requests are taken where none are named.
const mostFailed = 20

// failed are the model's newest requests that failed, not because somebody had them fail,
// the oldest first.
func (s *bundling) failed(ctx context.Context) (ids []uint, err error) {
	for e, err := range s.session.Events(ctx, control.Query{Skip: []string{"log", "step"}}) {
		if err != nil {
			return nil, err
		}
		f, is := e.Fact.(event.Served)
		if is && e.Model == s.model.ID && f.Fault == "" && f.Refused() {
			ids = append(ids, uint(f.ID))
		}
	}
	return ids[max(0, len(ids)-mostFailed):], nil
}
