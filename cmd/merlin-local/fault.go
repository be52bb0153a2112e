package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// faultCommand is `merlin-local fault`.
type faultCommand struct {
	*location
	model string
	lasts time.Duration
}

func newFault(where *location) *cobra.Command {
	f := &faultCommand{location: where}
	c := &cobra.Command{
		Use:   "fault [FAULT...]",
		Short: "Break a running model on request, or tell what is broken",
		Long: `Break a running model on request: ` + faultGrammar + `

A fault replaces one of its kind, and the others go on. Without a SHARE it is all requests.
Without a fault it tells what is on. All faults end with the session, with
merlin-local fault clear [KIND...], or after --for.`,
		Example: `  merlin-local fault latency=200ms..1s errors=503:10% --for 5m
  merlin-local fault kill --model iris-1
  merlin-local fault clear latency`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error { return f.set(c, args) },
	}
	clearing := &cobra.Command{
		Use:   "clear [KIND...]",
		Short: "End faults: all, or those of a kind",
		Args:  cobra.ArbitraryArgs,
		RunE:  func(c *cobra.Command, args []string) error { return f.clear(c, args) },
	}
	c.AddCommand(clearing)
	c.PersistentFlags().StringVar(&f.model, "model", "", "only this model (default: all)")
	c.Flags().DurationVar(&f.lasts, "for", 0, "end them after that time (default: with the session)")
	return c
}

func (f *faultCommand) set(c *cobra.Command, args []string) error {
	if _, err := parseFaults(args); err != nil {
		return err
	}
	switch asked := c.Flags().Changed("for"); {
	case asked && f.lasts <= 0:
		return usageError{fmt.Errorf("--for %s: it must be above 0", f.lasts)}
	case asked && len(args) == 0:
		return usageError{errors.New("--for needs a fault that it is for")}
	}
	asked := control.FaultRequest{Set: args, For: f.lasts}
	if len(args) == 0 {
		return f.tell(c)
	}
	return f.ask(c, asked)
}

func (f *faultCommand) clear(c *cobra.Command, kinds []string) error {
	if err := checkKinds(kinds); err != nil {
		return err
	}
	return f.ask(c, control.FaultRequest{Clear: kinds})
}

// ask has the session do it, and tells what is on then.
func (f *faultCommand) ask(c *cobra.Command, asked control.FaultRequest) error {
	here, _, id, err := f.find(c.Context())
	if err != nil {
		return err
	}
	asked.Model = id
	if err := here.Fault(c.Context(), asked); err != nil {
		return err
	}
	return f.tell(c)
}

func (f *faultCommand) tell(c *cobra.Command) error {
	_, state, id, err := f.find(c.Context())
	if err != nil {
		return err
	}
	for _, m := range state.Models {
		if id == "" || id == m.ID {
			tellFaults(c.OutOrStdout(), m)
		}
	}
	return nil
}

// find returns the session and the model that is meant; an empty id is all.
func (f *faultCommand) find(ctx context.Context) (here control.Session, state *session.State, id string, err error) {
	if here, err = f.session(); err != nil {
		return here, nil, "", err
	}
	if state, err = here.State(ctx); err != nil {
		return here, nil, "", notRunning(err)
	}
	if f.model == "" {
		return here, state, "", nil
	}
	m := state.Model(f.model)
	if m == nil {
		return here, nil, "", usageError{fmt.Errorf("no model is called %q here: see `merlin-local status`", f.model)}
	}
	return here, state, m.ID, nil
}

func tellFaults(w io.Writer, m *session.Model) {
	if len(m.Faults) == 0 {
		fmt.Fprintf(w, "%s: no faults\n", m.ID)
		return
	}
	for _, on := range m.Faults {
		text := fmt.Sprintf("%s: %s since %s", m.ID, prose.Clean(on.Spec), prose.Clock(on.Since))
		if on.Until != nil {
			text += " until " + prose.Clock(*on.Until)
		}
		if on.Kind == "staging" {
			text += " (from the next revision on: merlin-local reload)"
		}
		fmt.Fprintln(w, text)
	}
}

// printFaults shows in status what is on.
func printFaults(w io.Writer, m *session.Model) {
	if len(m.Faults) > 0 {
		fmt.Fprintf(w, "\n%s: FAULTS on request: %s (merlin-local fault clear)\n", m.ID, prose.FaultList(m.Faults))
	}
}
