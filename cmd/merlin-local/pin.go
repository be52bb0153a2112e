package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture/pins"
)

// pinCommand pins requests into the repo.
type pinCommand struct {
	*location
	name   string
	expect string
}

func newPin(where *location) *cobra.Command {
	p := &pinCommand{location: where}
	c := &cobra.Command{
		Use:   "pin NUMBER|FILE",
		Short: "Pin requests into the repo: after each reload they are replayed, and what they should answer is checked",
		Long: `Pin a request of the running session, by the number that logs and the screen show, or all
requests of a recording. A pin is a file in .merlin-local/pins: the request, and the recorded answer as
the expectation. Where that answer was a failure of the model (status 500 and above), the pin passes
once the request is answered without one.

up replays the pins at the start and after each reload, and tells how they do.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.run(c, args[0]) },
	}
	c.Flags().StringVar(&p.name, "name", "", "name of the pin (default: made of the model and what is asked)")
	c.Flags().StringVar(&p.expect, "expect", "", `"answer": the recorded answer; "success": any answer that is no failure (default: as the recorded answer was)`)
	c.AddCommand(newPinList(where), newPinRemove(where), newPinAccept(where), newPinRun(where))
	return c
}

func (p *pinCommand) run(c *cobra.Command, what string) error {
	if p.expect != "" && p.expect != "answer" && p.expect != "success" {
		return usageError{fmt.Errorf("--expect %s: it is answer or success", p.expect)}
	}
	if p.name != "" {
		if err := pins.CheckName(p.name); err != nil {
			return usageError{err}
		}
	}
	dir, _, err := p.repo()
	if err != nil {
		return err
	}
	exchanges, err := p.exchanges(c, what)
	if err != nil {
		return err
	}
	if p.name != "" && len(exchanges) > 1 {
		return usageError{fmt.Errorf("--name %s: %s has %d requests, and a pin is one", p.name, what, len(exchanges))}
	}
	err = p.add(c, pins.At(dir), exchanges)
	return errors.Join(err, p.tellSession(c.Context()))
}

// exchanges are the one of the session with that number, or those of a file.
func (p *pinCommand) exchanges(c *cobra.Command, what string) ([]event.Exchange, error) {
	if id, err := strconv.ParseUint(what, 10, 64); err == nil {
		s, err := p.session()
		if err != nil {
			return nil, err
		}
		x, err := s.Exchange(c.Context(), id)
		if err != nil {
			return nil, notRunning(err)
		}
		return []event.Exchange{x}, nil
	}
	hide, err := hidingOfRepo(c, p.location)
	if err != nil {
		return nil, err
	}
	source, err := findRequests(p.named(what), c.InOrStdin())
	if err != nil {
		return nil, err
	}
	defer source.close()
	return recorded(source, hide)
}

// mostPins is how many requests of a file are pinned at most: they run after each reload.
const mostPins = 1000

// recorded are the requests of a file that have an answer, rid of what is secret.
func recorded(source *requestSource, hide func(event.Exchange) event.Exchange) ([]event.Exchange, error) {
	var all []event.Exchange
	for x, err := range source.requests() {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", source.name, err)
		}
		if !hasAnswer(x) {
			continue
		}
		if all = append(all, hide(x)); len(all) > mostPins {
			return nil, usageError{fmt.Errorf("%s has more than %d requests, which would be replayed after each reload: choose some", source.name, mostPins)}
		}
	}
	if len(all) == 0 {
		return nil, usageError{fmt.Errorf("%s has no request with an answer", source.name)}
	}
	return all, nil
}

// add pins exchanges, of which the same ones are pinned once.
func (p *pinCommand) add(c *cobra.Command, store pins.Store, exchanges []event.Exchange) error {
	for _, x := range exchanges {
		name := p.name
		if name == "" {
			name = store.Free(x)
		}
		pin, err := pins.New(name, x)
		if err != nil {
			return err
		}
		switch p.expect {
		case "answer":
			pin.Expect = pins.SameAnswer
		case "success":
			pin.Expect = pins.NoFailure
		}
		if there := store.Find(pin); there != "" && p.name == "" {
			fmt.Fprintf(c.OutOrStdout(), "%s is this already\n", there)
			continue
		}
		if err := store.Add(pin); err != nil {
			return err
		}
		fmt.Fprintf(c.OutOrStdout(), "%s: %s %s, expects %s\n", name, x.Method, x.Path, expectation(pin))
	}
	return nil
}

// pinAnew pins an exchange under a name of its own, and returns that; what is pinned already
// stays one pin.
func pinAnew(store pins.Store, x event.Exchange) (name string, err error) {
	p, err := pins.New(store.Free(x), x)
	if err != nil {
		return "", err
	}
	if there := store.Find(p); there != "" {
		return there, nil
	}
	return p.Name, store.Add(p)
}

// expectation is what a pin expects, in words.
func expectation(p pins.Pin) string {
	if p.Expect == pins.NoFailure {
		return "no failure"
	}
	text := strconv.Itoa(p.Exchange.Status)
	if s := p.Exchange.GRPCStatus; s != nil {
		text = fmt.Sprintf("grpc-status %d", *s)
	}
	return text + " and the recorded body"
}

// tellSession has a session that runs replay the pins anew.
func (l *location) tellSession(ctx context.Context) error {
	s, err := l.session()
	if err != nil {
		return err
	}
	if err := s.Pins(ctx); err != nil && !errors.Is(err, control.ErrNotRunning) {
		return err
	}
	return nil
}
