package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"
)

// A screen changes the terminal: it is raw, on its other page, with the mouse on. What
// ends the process at once, a panic in any goroutine or a SIGKILL, leaves it so, and
// nothing inside the process can help. So a second process watches over the terminal,
// as the Go runtime offers it (debug.SetCrashOutput): it sleeps in a read until the first
// one has gone, and where that did not say goodbye, it restores the terminal and shows
// the crash.

const (
	guardCommand = "guard-terminal"
	guarding     = "guarding\n" // the guard has seen what the terminal was like
	goodbye      = "goodbye"
)

// guard is the process that watches over the terminal.
type guard struct {
	crash *os.File // its standard input
	cmd   *exec.Cmd
}

// guardTerminal starts one, before the terminal is changed.
func guardTerminal(out *os.File) (*guard, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	theirs, crash, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	cmd := exec.Command(self, guardCommand)
	cmd.Stdin, cmd.Stderr = theirs, out
	ready, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(err, crash.Close())
	}
	g := &guard{crash: crash, cmd: cmd}
	if _, err := io.ReadFull(ready, make([]byte, len(guarding))); err != nil {
		return nil, errors.Join(fmt.Errorf("watch over the terminal: %w", err), g.end())
	}
	if err := debug.SetCrashOutput(crash, debug.CrashOptions{}); err != nil {
		return nil, errors.Join(err, g.end())
	}
	return g, nil
}

// end dismisses the guard: the terminal is as it was.
func (g *guard) end() error {
	if g == nil {
		return nil
	}
	_ = debug.SetCrashOutput(nil, debug.CrashOptions{})
	_, err := g.crash.WriteString(goodbye)
	return errors.Join(err, g.crash.Close(), g.cmd.Wait())
}

func newGuard() *cobra.Command {
	return &cobra.Command{
		Use: guardCommand, Hidden: true, Args: cobra.NoArgs,
		Short: "Restore the terminal after a screen that crashed (started by up)",
		RunE:  func(c *cobra.Command, _ []string) error { return guardUntilTheEnd(os.Stdin, os.Stdout, os.Stderr) },
	}
}

// mostCrash bounds what is kept of a crash's report.
const mostCrash = 1 << 20

// guardUntilTheEnd waits until nobody can write to its input any more.
func guardUntilTheEnd(in io.Reader, ready, terminal *os.File) error {
	signal.Ignore(endSignals()...) // they are for the one that is watched
	mayChangeTerminal()
	state, err := term.GetState(terminal.Fd())
	if err != nil {
		return err
	}
	if _, err := io.WriteString(ready, guarding); err != nil {
		return err
	}
	report, _ := io.ReadAll(io.LimitReader(in, mostCrash))
	_, _ = io.Copy(io.Discard, in)
	if bytes.HasSuffix(report, []byte(goodbye)) {
		return nil
	}
	_, _ = io.WriteString(terminal, leaveScreen)
	err = term.Restore(terminal.Fd(), state)
	_, writeErr := io.WriteString(terminal, obituary(report))
	return errors.Join(err, writeErr)
}

// obituary says how the watched process ended, of a crash the begin; all of it is in a
// file.
func obituary(report []byte) string {
	const next = "the terminal is as it was before; `merlin-local down` removes what was left behind"
	if len(report) == 0 {
		return "merlin-local was killed: " + next + "\n"
	}
	lines := bytes.SplitAfterN(report, []byte("\n"), crashLines+1)
	text := string(bytes.Join(lines[:min(len(lines), crashLines)], nil)) + "merlin-local crashed: " + next + "\n"
	file, err := os.CreateTemp("", "merlin-local-crash-*.txt")
	if err == nil {
		_, err = file.Write(report)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return string(report) + text
	}
	return text + "please report it, with " + file.Name() + "\n"
}

// crashLines is how much of a crash is shown.
const crashLines = 12

// leaveScreen undoes what a screen does to a terminal: the mouse and bracketed paste
// off, attributes reset, back to the page before, the cursor shown.
const leaveScreen = "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[0m\x1b[?1049l\x1b[?25h\r"
