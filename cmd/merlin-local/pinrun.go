package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/proxy/capture/pins"
)

// pinRun replays pins against the running session.
type pinRun struct {
	*location
	output string
}

func newPinRun(where *location) *cobra.Command {
	p := &pinRun{location: where}
	c := &cobra.Command{
		Use:   "run [NAME...]",
		Short: "Replay pins on the running model now; exit code 1 where one is not as pinned",
		Args:  cobra.ArbitraryArgs,
		RunE:  func(c *cobra.Command, args []string) error { return p.run(c, args) },
	}
	c.Flags().StringVarP(&p.output, "output", "o", outputText, "text or json")
	return c
}

func (p *pinRun) run(c *cobra.Command, names []string) error {
	if p.output != outputText && p.output != outputJSON {
		return usageError{fmt.Errorf("--output %s: it is text or json", p.output)}
	}
	w := c.OutOrStdout()
	verdicts, err := p.replay(c, names, func(_ pins.Pin, _ event.Exchange, v event.PinVerdict) error {
		if p.output == outputText {
			fmt.Fprintln(w, prose.Pin(v))
		}
		return nil
	})
	if verdicts == nil {
		return err
	}
	told := event.Pins{Verdicts: verdicts}
	if err != nil {
		told.Error = err.Error()
	}
	return errors.Join(p.sum(w, told), err)
}

func (p *pinRun) sum(w io.Writer, told event.Pins) error {
	if p.output == outputJSON {
		if err := writeIndented(w, told); err != nil {
			return err
		}
	} else if len(told.Verdicts) > 1 {
		fmt.Fprintln(w, prose.PinCount(told))
	}
	if n := len(failing(told.Verdicts)); n > 0 {
		return toldError{fmt.Errorf("%d of %d pins are not as pinned", n, len(told.Verdicts))}
	}
	return nil
}

// replay replays the pins of those names, of all where there are none, and calls each. Pins
// that cannot be read are an error beside the verdicts of the others.
func (l *location) replay(c *cobra.Command, names []string, each func(pins.Pin, event.Exchange, event.PinVerdict) error) ([]event.PinVerdict, error) {
	store, err := l.pinStore()
	if err != nil {
		return nil, err
	}
	all, wrong := choosePins(store, names)
	if len(all) == 0 {
		return nil, wrong
	}
	s, err := l.session()
	if err != nil {
		return nil, err
	}
	ctx, _, stop := interruptible(c.Context())
	defer stop()
	state, err := s.State(ctx)
	if err != nil {
		return nil, notRunning(err)
	}
	rules, err := (&answerRules{}).rules(c, l)
	if err != nil {
		return nil, err
	}
	hide, err := hidingOfRepo(c, l)
	if err != nil {
		return nil, err
	}
	p := pinReplay{state: state, rules: rules, hidden: hide}
	var failed error
	verdicts := p.run(ctx, all, "", func(pin pins.Pin, is event.Exchange, v event.PinVerdict) {
		failed = errors.Join(failed, each(pin, is, v))
	})
	return verdicts, errors.Join(wrong, failed, ctx.Err())
}

// choosePins are the pins of those names, or all.
func choosePins(store pins.Store, names []string) (all []pins.Pin, wrong error) {
	if len(names) == 0 {
		if all, wrong = store.All(); len(all) == 0 && wrong == nil {
			wrong = errors.New("nothing is pinned here: `merlin-local pin NUMBER` pins a request")
		}
		return all, wrong
	}
	for _, name := range names {
		p, err := store.Get(name)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// newPinAccept takes present answers for the expectation.
func newPinAccept(where *location) *cobra.Command {
	return &cobra.Command{
		Use:   "accept NAME...",
		Short: "Take what the running model answers now as what a pin expects",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			store, err := where.pinStore()
			if err != nil {
				return err
			}
			_, err = where.replay(c, args, func(pin pins.Pin, is event.Exchange, v event.PinVerdict) error {
				return accept(c.OutOrStdout(), store, pin, is, v)
			})
			return errors.Join(err, where.tellSession(c.Context()))
		},
	}
}

func accept(w io.Writer, store pins.Store, pin pins.Pin, is event.Exchange, v event.PinVerdict) error {
	if is.Status == 0 {
		return fmt.Errorf("%s is as it was: %s", pin.Name, v.Why)
	}
	if failure := pins.Failure(is); failure != "" {
		return fmt.Errorf("%s is as it was: %s", pin.Name, failure)
	}
	now := pin
	now.Expect = pins.SameAnswer
	now.Exchange.Answer, now.Exchange.Status, now.Exchange.GRPCStatus, now.Exchange.Error = is.Answer, is.Status, is.GRPCStatus, ""
	if err := store.Replace(now); err != nil {
		return err
	}
	fmt.Fprintf(w, "%s: expects %s now\n", pin.Name, expectation(now))
	return nil
}
