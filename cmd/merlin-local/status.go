package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

func newStatus(where *location) *cobra.Command {
	var asJSON, parity bool
	c := &cobra.Command{
		Use:   "status",
		Short: "Tell how the models of this repo's session are",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := where.session()
			if err != nil {
				return err
			}
			state, err := s.State(c.Context())
			if err != nil {
				return notRunning(err)
			}
			if asJSON {
				return writeIndented(c.OutOrStdout(), state)
			}
			if parity {
				return printParity(c.OutOrStdout(), state)
			}
			return printStatus(c.OutOrStdout(), state)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print everything that is known, as JSON")
	c.Flags().BoolVar(&parity, "parity", false, "say point by point how this run compares with production, instead")
	return c
}

func printParity(w io.Writer, state *session.State) error {
	for _, m := range state.Models {
		if m.Parity == nil {
			continue
		}
		fmt.Fprintf(w, "%s\n", m.ID)
		if err := explain(w, *m.Parity); err != nil {
			return err
		}
	}
	return nil
}

// notRunning adds where sessions do run, to an error that says there is none here.
func notRunning(err error) error {
	if !errors.Is(err, control.ErrNotRunning) {
		return err
	}
	sessions, listErr := control.FindHome().Sessions()
	if listErr != nil {
		return err
	}
	for _, s := range sessions {
		if owner := s.Owner(); owner.PID != 0 && s.Alive() {
			err = fmt.Errorf("%w\none runs in %s", err, owner.Dir)
		}
	}
	return err
}

func printStatus(w io.Writer, state *session.State) error {
	fmt.Fprintf(w, "%s (process %d) on %s, %s\n", state.Dir, state.PID, state.Address, state.Runtime)
	if state.Metrics != "" {
		fmt.Fprintf(w, "metrics at http://%s/metrics\n", state.Metrics)
	}
	if state.EngineTrouble != "" {
		fmt.Fprintf(w, "the Docker Engine does not answer: %s\n", prose.Clean(state.EngineTrouble))
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "MODEL\tPROTOCOL\tPHASE\tRESTARTS\tCONTAINER\tURL")
	for _, m := range state.Models {
		url := m.URLs.Predict
		if m.URLs.GRPC != "" {
			url = m.URLs.GRPC
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%s\n", m.FullName, m.Protocol, prose.Phase(m.Phase), m.Restarts, prose.ShortID(m.ContainerID), url)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if err := printUsage(w, state); err != nil {
		return err
	}
	for _, m := range state.Models {
		printStops(w, m)
		if m.Deadline != nil {
			fmt.Fprintf(w, "\n%s has %s left to become ready\n", m.ID, max(time.Until(*m.Deadline), 0).Round(time.Second))
		}
		if back := prose.Comeback(m, time.Now()); back != "" {
			fmt.Fprintf(w, "\n%s %s\n", m.ID, back)
		} else if m.Why != "" {
			fmt.Fprintf(w, "\n%s: %s\n", m.ID, prose.Clean(m.Why))
		}
		printRevision(w, m)
		if m.Pins != nil {
			fmt.Fprintf(w, "\n%s: on revision %d, %s\n", m.ID, m.Pins.Revision, prose.Pins(m.Pins.Pins))
		}
		printDebugger(w, m)
		printFaults(w, m)
		if m.Scale != nil {
			if err := printScale(w, m); err != nil {
				return err
			}
		}
		if m.Parity != nil {
			fmt.Fprintf(w, "\n%s: %s (status --parity)\n", m.ID, prose.ParityCount(*m.Parity))
		}
		if len(m.Pods) > 1 {
			if err := printPods(w, m); err != nil {
				return err
			}
		}
		if m.Failure != nil {
			fmt.Fprintf(w, "\n%s %s\n", m.ID, prose.Failed(*m.Failure))
		}
	}
	return nil
}

// printRevision shows who answers, whether that is behind the files, and how the last
// reload went.
func printRevision(w io.Writer, m *session.Model) {
	if s := m.Serving; s != nil {
		fmt.Fprintf(w, "\n%s: revision %d serves since %s", m.ID, s.Number, prose.Clock(s.Since))
		if s.Sources != "" {
			fmt.Fprintf(w, ", sources %s", s.Sources)
		}
		if m.Stale == nil {
			fmt.Fprintln(w)
		} else {
			fmt.Fprintf(w, "; STALE: behind %s", prose.Clean(prose.Behind(m.Stale.Edited)))
			if m.Stale.Waits != "" {
				fmt.Fprintf(w, ": the reload waits: %s", m.Stale.Waits)
			}
			fmt.Fprintln(w)
		}
	}
	switch r := m.LastReload(); {
	case r == nil:
	case r.State == session.ReloadRuns && r.Failure != nil:
		fmt.Fprintf(w, "  revision %d is not ready yet: %s\n", r.Revision, prose.Card(*r.Failure))
	case r.State == session.ReloadRuns:
		fmt.Fprintf(w, "  revision %d is being made since %s: %s\n", r.Revision, prose.Clock(r.Since), prose.Clean(r.Plan.Why))
	case r.State == session.ReloadFailed:
		fmt.Fprintf(w, "  revision %d will not serve: %s\n", r.Revision, prose.Card(*r.Failure))
	}
}

// printPods shows the replicas of a model that has several.
func printPods(w io.Writer, m *session.Model) error {
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "POD\tPHASE\tRESTARTS\tCONTAINER\tADDRESS\tWHY")
	for _, p := range m.Pods {
		fmt.Fprintf(table, "%s/%s\t%s\t%d\t%s\t%s\t%s\n", m.ID, p.Name, prose.Phase(p.Phase), p.Restarts, prose.ShortID(p.ContainerID), p.Address, prose.Clean(p.Why))
	}
	return table.Flush()
}

func writeIndented(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

func writeJSON(w io.Writer, value any) error { return json.NewEncoder(w).Encode(value) }
