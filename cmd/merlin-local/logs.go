package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

func newLogs(where *location) *cobra.Command {
	var follow bool
	c := &cobra.Command{
		Use:   "logs [MODEL]",
		Short: "Print what the models of this repo's session wrote",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := where.session()
			if err != nil {
				return err
			}
			ctx, _, stop := interruptible(c.Context())
			defer stop()
			return notRunning(logs(ctx, c, s, follow, args))
		},
	}
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what comes, until the session ends")
	return c
}

func logs(ctx context.Context, c *cobra.Command, s control.Session, follow bool, args []string) error {
	only, state, err := logsOf(ctx, s, args)
	if err != nil {
		return err
	}
	for e, err := range s.Events(ctx, control.Query{Skip: []string{"served", "step", "probed"}, Follow: follow}) {
		if errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return err
		}
		log, ok := e.Fact.(event.Log)
		if !ok || log.Source != event.LogModel || only != "" && e.Model != only {
			continue
		}
		line := prose.Clean(log.Text)
		if only == "" && len(state.Models) > 1 {
			line = e.Model + " | " + line
		}
		if _, err := fmt.Fprintln(c.OutOrStdout(), line); err != nil {
			return err
		}
	}
	return nil
}

// logsOf finds the model that is asked for; none is all of them.
func logsOf(ctx context.Context, s control.Session, args []string) (id string, _ *session.State, err error) {
	state, err := s.State(ctx)
	if err != nil || len(args) == 0 {
		return "", state, err
	}
	m := state.Model(args[0])
	if m == nil {
		return "", nil, unknownModel(args[0], state)
	}
	return m.ID, state, nil
}

func unknownModel(name string, state *session.State) error {
	text := fmt.Sprintf("no model, or more than one, is called %q here: there is", name)
	for _, m := range state.Models {
		text += " " + m.ID
	}
	return usageError{errors.New(text)}
}
