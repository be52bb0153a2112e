package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

func newReload(where *location) *cobra.Command {
	var rebuild bool
	c := &cobra.Command{
		Use:   "reload [MODEL]",
		Short: "Make a new revision now, and wait until it serves",
		Long: `Make a new revision of a model, or of all, and wait until it serves.

It takes over once it is ready; until then the old one answers. Where it fails the old one
goes on, and the exit code is 1.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return reload(c, where, args, rebuild) },
	}
	c.Flags().BoolVar(&rebuild, "rebuild", false, "build the image anew, whatever changed")
	return c
}

func reload(c *cobra.Command, where *location, args []string, rebuild bool) error {
	here, err := where.session()
	if err != nil {
		return err
	}
	state, err := here.State(c.Context())
	if err != nil {
		return notRunning(err)
	}
	waiting := map[string]int{} // the newest revision so far
	for _, m := range state.Models {
		if len(args) == 0 || state.Model(args[0]) == m {
			waiting[m.ID] = m.LocalRevision
		}
	}
	if len(waiting) == 0 {
		return usageError{fmt.Errorf("no model is called %q here: see `merlin-local status`", args[0])}
	}
	for id := range waiting {
		if err := here.Reload(c.Context(), id, rebuild); err != nil {
			return err
		}
	}
	return awaitReloads(c, here, waiting)
}

// awaitReloads tells how the reloads end. One that a newer edit cancels is followed by
// that edit's own.
func awaitReloads(c *cobra.Command, here control.Session, waiting map[string]int) error {
	ctx, cancel := context.WithCancel(c.Context())
	defer cancel()
	failed := false
	var state session.State
	view := newPlain(c.OutOrStdout(), nil)
	for e, err := range here.Events(ctx, control.Query{Skip: []string{"log", "served", "probed"}, Follow: true}) {
		if err != nil {
			return err
		}
		state.Apply(e)
		before, waits := waiting[e.Model]
		if !waits || e.Revision <= before {
			continue
		}
		switch f := e.Fact.(type) {
		case event.Serving:
			delete(waiting, e.Model)
			if err := view.show(e); err != nil {
				return err
			}
		case event.ReloadEnded:
			if f.Cancelled == "" {
				delete(waiting, e.Model)
				failed = true
			}
			if err := view.show(e); err != nil {
				return err
			}
		}
		if len(waiting) == 0 {
			break
		}
	}
	switch {
	case failed:
		return toldError{errors.New("a reload failed")}
	case len(waiting) > 0:
		return errors.New("the session ended before the new revision served")
	}
	return nil
}

func sinceLastRun(f event.SinceLastRun) string {
	count := "1 file"
	if n := len(f.Files) + f.More; n > 1 {
		count = fmt.Sprintf("%d files", n)
	}
	return count + " changed since the last run: " + clean(named(f.Files, f.More))
}

// reloading, reloaded and reloadEnded are what a person reads of a reload.
func reloading(e event.Event, f event.Reloading) string {
	text := fmt.Sprintf("reload to revision %d (%s): ", e.Revision, f.Tier)
	if f.File != "" {
		text += clean(f.File) + ": "
	}
	text += f.Why
	if f.Replaces != "" {
		text += "; the old revision stops first: " + f.Replaces
	}
	return text
}

func reloaded(e event.Event, f event.Serving) string {
	if f.Tier == "" {
		return "" // the first one: its URL says it all
	}
	text := fmt.Sprintf("revision %d serves, %s in %s", e.Revision, f.Tier, round(f.Took))
	if steps := stepsOf(f.Steps); steps != "" {
		text += " (" + steps + ")"
	}
	return text
}

func reloadEnded(e event.Event, f event.ReloadEnded) string {
	if f.Cancelled != "" {
		return fmt.Sprintf("revision %d is given up: %s", e.Revision, clean(f.Cancelled))
	}
	return fmt.Sprintf("RELOAD FAILED: revision %d will not serve, the one before goes on: %s", e.Revision, cardOf(*f.Card))
}

func stepsOf(steps []event.ReloadStep) string {
	parts := make([]string, 0, len(steps))
	for _, s := range steps {
		parts = append(parts, s.Name+" "+round(s.Took))
	}
	return strings.Join(parts, ", ")
}
