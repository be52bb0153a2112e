package tui

import (
	"io"
	"os/exec"

	tea "github.com/charmbracelet/bubbletea"
)

// lent is a program that has the terminal while it runs.
type lent struct {
	*exec.Cmd
	lend func() (back func())
}

func (l lent) Run() error {
	if l.lend != nil {
		defer l.lend()()
	}
	return l.Cmd.Run()
}

// The program has its streams already: the terminal itself, whatever the screen writes
// through.

func (lent) SetStdin(io.Reader)  {}
func (lent) SetStdout(io.Writer) {}
func (lent) SetStderr(io.Writer) {}

// exec lends the terminal to a program, and tells how it ended.
func (o Options) exec(c *exec.Cmd, done tea.ExecCallback) tea.Cmd {
	c.Stdin, c.Stdout, c.Stderr = o.In, o.Out, o.Out
	return tea.Exec(lent{c, o.Lend}, done)
}
