package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/proxy/capture/pins"
)

// pinStore are the pins of the repo that a command stands in.
func (l *location) pinStore() (pins.Store, error) {
	dir, _, err := l.repo()
	return pins.At(dir), err
}

func newPinList(where *location) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the repo's pins",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			store, err := where.pinStore()
			if err != nil {
				return err
			}
			all, wrong := store.All()
			table := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			if len(all) > 0 {
				fmt.Fprintln(table, "NAME\tMODEL\tREQUEST\tEXPECTS")
			}
			for _, p := range all {
				fmt.Fprintf(table, "%s\t%s\t%s %s\t%s\n", p.Name, prose.Clean(p.Exchange.Model), prose.Clean(p.Exchange.Method), prose.Clean(p.Exchange.Path), expectation(p))
			}
			if err := table.Flush(); err != nil {
				return err
			}
			return wrong
		},
	}
}

func newPinRemove(where *location) *cobra.Command {
	return &cobra.Command{
		Use:   "rm NAME...",
		Short: "Remove pins from the repo",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			store, err := where.pinStore()
			if err != nil {
				return err
			}
			for _, name := range args {
				if err := store.Remove(name); err != nil {
					return err
				}
				fmt.Fprintf(c.OutOrStdout(), "%s removed\n", name)
			}
			return where.tellSession(c.Context())
		},
	}
}
