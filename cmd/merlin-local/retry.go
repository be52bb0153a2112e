package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

func newRetry(where *location) *cobra.Command {
	return &cobra.Command{
		Use:   "retry [MODEL]",
		Short: "Start a model that waits in back-off now",
		Args:  cobra.MaximumNArgs(1),
		RunE:  func(c *cobra.Command, args []string) error { return retry(c, where, args) },
	}
}

// retry cuts the back-off of one model short, or of all that wait.
func retry(c *cobra.Command, where *location, args []string) error {
	here, err := where.session()
	if err != nil {
		return err
	}
	state, err := here.State(c.Context())
	if err != nil {
		return notRunning(err)
	}
	waiting := 0
	for _, m := range state.Models {
		if len(args) > 0 && state.Model(args[0]) != m {
			continue
		}
		for _, p := range m.Pods {
			if p.Phase == event.PhaseBackOff {
				waiting++
			}
		}
		if err := here.Retry(c.Context(), m.ID); err != nil {
			return err
		}
	}
	switch {
	case len(args) > 0 && state.Model(args[0]) == nil:
		return usageError{fmt.Errorf("no model is called %q here: see `merlin-local status`", args[0])}
	case waiting == 0:
		fmt.Fprintln(c.OutOrStdout(), "nothing waits to be started again")
	default:
		fmt.Fprintf(c.OutOrStdout(), "starting %d now\n", waiting)
	}
	return nil
}
