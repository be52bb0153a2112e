package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
	"github.com/caraml-dev/merlin-local/tui"
)

func newReplaySession() *cobra.Command {
	var noMouse bool
	c := &cobra.Command{
		Use:   "replay-session FILE",
		Short: "Open the screen on a session that was recorded",
		Long: `Open the screen on a recording: what up --record wrote, or up --output json printed. It opens at the end.

  , and .      to what happened before and after
  < and >      10 seconds back and on
  space        play from here at the pace of then, or pause
  home, end    to the beginning and the end`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return replaySession(c, args[0], noMouse) },
	}
	c.Flags().BoolVar(&noMouse, "no-mouse", false, "leave the mouse wheel to the terminal instead of scrolling the screen's panels")
	return c
}

func replaySession(c *cobra.Command, path string, noMouse bool) error {
	in, out := terminal(c.InOrStdin(), c.OutOrStdout())
	if in == nil {
		return usageError{errors.New("replay-session needs a terminal, at standard input and output: without one, read the recording itself, which has one event of JSON a line, with jq for instance")}
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	recording, err := readRecording(file)
	if err != nil {
		return fmt.Errorf("%s is no recording of a session: %w", path, err)
	}
	ctx, _, stop := interruptible(c.Context())
	defer stop()
	options := screenOptions(in, out)
	options.Recording, options.NoMouse = recording, noMouse
	if _, err := guarded(ctx, options); err != nil {
		return err
	}
	last, err := recording.State(recording.Len())
	if err != nil {
		return err
	}
	fmt.Fprint(out, tui.Summary(last))
	for _, note := range recording.Notes() {
		fmt.Fprintf(c.ErrOrStderr(), "%s: %s\n", path, note)
	}
	return nil
}

func readRecording(file *os.File) (*session.Recording, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no file: a pipe cannot be stepped back in")
	}
	return session.OpenRecording(file, info.Size(), func(e event.Event) bool { return prose.Happening(e) != "" })
}
