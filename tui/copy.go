package tui

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/aymanbagabas/go-osc52/v2"
	tea "github.com/charmbracelet/bubbletea"
)

// clipboard asks for a text to be put into the terminal's clipboard.
type clipboard string

// copyText puts a text into the clipboard of the terminal that a person sits at, over
// however many connections: by OSC 52, which the terminal may be set to ignore.
func copyText(text string) tea.Cmd {
	return func() tea.Msg { return clipboard(text) }
}

// mostCopied is how many bytes are copied at most: terminals and tmux cut or ignore what
// is longer.
const mostCopied = 64 << 10

// copy writes the sequence between two frames: the program writes each in one call, and a
// file's writes do not mix.
func (m *screen) copy(text clipboard) tea.Cmd {
	out, getenv := m.out, m.getenv
	return func() tea.Msg {
		if len(text) > mostCopied {
			return said{text: fmt.Sprintf("not copied: %s is more than a terminal takes (%s)", size(int64(len(text))), size(mostCopied)), bad: true}
		}
		sequence := osc52.New(string(text))
		switch {
		case out == nil:
			return said{text: "not copied: there is no terminal", bad: true}
		case getenv("TMUX") != "":
			// tmux passes its own form through, or takes the plain one, or neither, as it is
			// set; what is loaded into it by its command it hands to the terminal as a rule.
			_, _ = io.WriteString(out, sequence.Tmux().String()+sequence.String())
			if loadTmux(string(text)) == nil {
				return said{text: "copied " + size(int64(len(text))) + ", into tmux's buffer too"}
			}
			return said{text: "copied " + size(int64(len(text)))}
		case getenv("STY") != "":
			sequence = sequence.Screen()
		}
		if _, err := io.WriteString(out, sequence.String()); err != nil {
			return said{text: "not copied: " + err.Error(), bad: true}
		}
		return said{text: "copied " + size(int64(len(text)))}
	}
}

// loadTmux puts a text into the buffer of the tmux that we run in, and has it hand the
// text to its terminal: from tmux 3.2 on.
func loadTmux(text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, "tmux", "load-buffer", "-w", "-")
	c.Stdin = bytes.NewReader([]byte(text))
	return c.Run()
}
