//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tmux is a real terminal with a shell in it, whose screen can be read back.
type tmux struct {
	t      testing.TB
	socket string
}

// newTmux opens a terminal of that size in the lab's repo.
func newTmux(l *lab, width, height int) *tmux {
	l.t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		l.t.Skip("SKIPPED, SO NOT PROVEN: there is no tmux here to show the screen in")
	}
	dir, err := os.MkdirTemp("", "tm") // short: a socket's path ends at 104 bytes
	check(l.t, err)
	term := &tmux{t: l.t, socket: filepath.Join(dir, "s")}
	args := []string{"-f", "/dev/null", "new-session", "-d", "-x", strconv.Itoa(width), "-y", strconv.Itoa(height), "-c", l.repo}
	for _, variable := range []string{"MERLIN_LOCAL_HOME=" + l.home, "LC_ALL=C.UTF-8", "PATH=" + filepath.Dir(l.program) + ":" + os.Getenv("PATH")} {
		args = append(args, "-e", variable)
	}
	term.must(append(args, "sh")...)
	term.must("set-option", "-g", "set-clipboard", "on") // what a user of the clipboard has
	l.t.Cleanup(func() {
		if l.t.Failed() {
			shows, _ := exec.Command("tmux", "-S", term.socket, "capture-pane", "-p").Output() // it may have gone
			l.t.Logf("the terminal shows:\n%s", shows)
		}
		term.close()
		check(l.t, os.RemoveAll(dir))
	})
	term.prompt() // what is typed before it is echoed above it, and the prompt then stands there
	return term
}

// close closes the terminal, as a person closes its window: its programs get a SIGHUP,
// and what they write goes nowhere.
func (m *tmux) close() { _ = exec.Command("tmux", "-S", m.socket, "kill-server").Run() }

func (m *tmux) must(args ...string) string {
	m.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", m.socket}, args...)...).CombinedOutput()
	if err != nil {
		m.t.Fatalf("tmux %s: %v: %s", args[0], err, out)
	}
	return string(out)
}

// screen is what the terminal shows now, without colours.
func (m *tmux) screen() string { return strings.TrimRight(m.must("capture-pane", "-p"), "\n") }

// prompt waits for the shell's.
func (m *tmux) prompt() {
	m.t.Helper()
	m.until("the shell's prompt", func(screen string) bool {
		last := screen[strings.LastIndexByte(screen, '\n')+1:]
		return last == "$" || last == "#"
	})
}

// keys presses keys by tmux's names; "text:…" is typed as it is.
func (m *tmux) keys(keys ...string) {
	m.t.Helper()
	for _, key := range keys {
		if text, literal := strings.CutPrefix(key, "text:"); literal {
			m.must("send-keys", "-l", text)
			continue
		}
		m.must("send-keys", key)
	}
}

// shell types a command into the shell.
func (m *tmux) shell(command string) {
	m.t.Helper()
	m.keys("text:"+command, "Enter")
}

// await waits until the terminal shows all of these, and returns what it shows.
func (m *tmux) await(texts ...string) string {
	m.t.Helper()
	return m.until(fmt.Sprintf("%q", texts), func(screen string) bool {
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	})
}

func (m *tmux) until(what string, holds func(screen string) bool) string {
	m.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) { // tmux cannot be waited for
		screen := m.screen()
		if holds(screen) {
			return screen
		}
		if time.Now().After(end) {
			m.t.Fatalf("the terminal never showed %s; it shows:\n%s", what, screen)
		}
	}
}

// resize makes the terminal of that size.
func (m *tmux) resize(width, height int) {
	m.t.Helper()
	m.must("resize-window", "-x", strconv.Itoa(width), "-y", strconv.Itoa(height))
}

// of is the same terminal for a part of a test, which fails for itself.
func (m *tmux) of(t testing.TB) *tmux { return &tmux{t: t, socket: m.socket} }

// without waits until the terminal shows the first, and not the second.
func (m *tmux) without(text, absent string) {
	m.t.Helper()
	m.until(fmt.Sprintf("%q without %q", text, absent), func(screen string) bool {
		return strings.Contains(screen, text) && !strings.Contains(screen, absent)
	})
}

// copied is what the screen has put into the clipboard, as tmux took it.
func (m *tmux) copied() string { return m.must("show-buffer") }
