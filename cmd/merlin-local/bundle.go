package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/proxy/capture/bundle"
)

func newBundle(where *location) *cobra.Command {
	c := &cobra.Command{
		Use:   "bundle",
		Short: "Carry a problem to another machine, and see whether it is there too",
		Long: `Carry a problem to another machine, and see whether it is there too.

A bundle is one file: which image ran with which configuration, environment and artifact,
what it was asked, what it answered and what it should have, and its log. The values of
secrets are not in it; what the capture hides is not either.`,
		Args: wrongCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newBundleSave(where), newBundleRun(where), newBundleShow(where))
	return c
}

func newBundleShow(where *location) *cobra.Command {
	return &cobra.Command{
		Use:   "show FILE",
		Short: "Print what a bundle says of itself, as JSON; nothing is unpacked",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			file, err := openBundle(args[0], where)
			if err != nil {
				return err
			}
			defer file.Close()
			m, err := bundle.ReadManifest(file, bundle.Limits{})
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return writeIndented(c.OutOrStdout(), m)
		},
	}
}

// openBundle opens a bundle; its name is as the other files that a command line names.
func openBundle(name string, where *location) (*os.File, error) {
	dir, _, err := where.repo()
	if err != nil {
		return nil, err
	}
	file, err := os.Open(inRepo(name, dir))
	if errors.Is(err, os.ErrNotExist) {
		return nil, usageError{fmt.Errorf("there is no %s", inRepo(name, dir))}
	}
	return file, err
}

// describe tells a person what a bundle is of.
func describe(w io.Writer, m *bundle.Manifest) {
	fmt.Fprintf(w, "%s, made %s by merlin-local %s\n", prose.Clean(m.Model.ID), m.Made.Local().Format("2006-01-02 15:04"), prose.Clean(m.Versions.MerlinLocal))
	if m.Note != "" {
		fmt.Fprintln(w, "  note:     ", prose.Clean(m.Note))
	}
	fmt.Fprintln(w, "  image:    ", imageLine(m))
	if len(m.Artifact) > 0 {
		carried := "not in the bundle"
		if m.HasArtifact() {
			carried = "in the bundle"
		}
		fmt.Fprintf(w, "  artifact:  %s, %s, %s\n", counted(len(m.Artifact), "file", "files"), size(sizeOf(m.Artifact)), carried)
	}
	if len(m.Secrets) > 0 {
		fmt.Fprintf(w, "  secrets:   %s, without their values\n", prose.Clean(strings.Join(m.Secrets, ", ")))
	}
	fmt.Fprintf(w, "  requests:  %d, of %d it is known what should have come\n", m.Asked, m.Known)
	if m.Failure != nil {
		fmt.Fprintf(w, "  it failed: %s: %s\n", m.Failure.Cause, prose.Clean(m.Failure.What))
	}
}

func imageLine(m *bundle.Manifest) string {
	if m.Image.ID == "" {
		return "none: it ran without Docker"
	}
	text := m.Image.ID
	if m.Image.Reference != "" {
		text = m.Image.Reference + ", " + text
	}
	if m.Has(bundle.Image) {
		return prose.Clean(text) + ", in the bundle"
	}
	return prose.Clean(text) + ", not in the bundle"
}

func sizeOf(files []bundle.File) (bytes int64) {
	for _, f := range files {
		bytes += f.Size
	}
	return bytes
}

// size is a number of bytes, for people.
func size(bytes int64) string {
	if bytes < 1<<20 {
		return counted(int(bytes), "byte", "bytes")
	}
	return prose.Memory(bytes)
}
