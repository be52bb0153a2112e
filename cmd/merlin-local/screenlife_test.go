//go:build unix

package main

import (
	"strings"
	"syscall"
	"testing"
)

func TestScreenOfTheIrisSampleFromUpToItsSummary(t *testing.T) {
	l := sample(t, "iris-http-go")
	term := newTmux(l, 120, 40)
	term.shell("merlin-local up --runtime docker --port 0")
	term.await("iris-1 READY", "1 Overview", "2 Requests", "3 Logs", "4 Metrics", "/v1/models/iris-1:predict")
	l.must("predict")
	l.must("predict")
	term.await("req/s", "errors 0")

	term.keys("z")
	term.until("the overview alone", func(s string) bool { return !strings.Contains(s, "┏") && strings.Contains(s, "1 Overview") })
	term.keys("5")
	term.await("Variables", "CARAML_HTTP_PORT", "Mounts", "/mnt/models")
	term.keys("/", "text:PORT", "Enter")
	term.until("the filter's rows alone", func(s string) bool {
		return strings.Contains(s, "CARAML_HTTP_PORT") && !strings.Contains(s, "/mnt/models")
	})
	term.keys("Escape", "6")
	term.await("built at the start", "go build")

	term.keys("R")
	term.await("revision 2 serves")
	term.keys("?")
	term.await("everywhere", "stop the session and leave")
	term.keys("q") // the help takes it
	term.resize(80, 24)
	term.await("iris-1 READY", "1 Overview")
	term.resize(40, 10)
	term.await("too small", "iris-1 READY")
	term.resize(200, 60)
	term.await("1 Overview", "5 Environment", "6 Builds")

	term.keys("q")
	term.await("iris-1  revision 2  2 requests, 0 errors", "1 reload, 0 failed")
	term.prompt()
	l.nothingLeft()
}

// Whatever ends the program, the terminal is the shell's again: what is typed is seen.
func TestScreenLeavesTheTerminalAsItWas(t *testing.T) {
	for _, row := range []struct {
		name string
		end  func(term *tmux, pid int) error
		says string
	}{
		{"ctrl-c", func(term *tmux, _ int) error { term.keys("C-c"); return nil }, "iris-1  revision 1"},
		{"terminate", func(_ *tmux, pid int) error { return syscall.Kill(pid, syscall.SIGTERM) }, "iris-1  revision 1"},
		{"kill", func(_ *tmux, pid int) error { return syscall.Kill(pid, syscall.SIGKILL) }, "merlin-local was killed"},
		{"quit", func(_ *tmux, pid int) error { return syscall.Kill(pid, syscall.SIGQUIT) }, "merlin-local crashed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			l := sample(t, "iris-http-go")
			term := newTmux(l, 100, 30)
			term.shell("merlin-local up --runtime process --port 0")
			term.await("iris-1 READY")
			check(t, row.end(term, l.session.Owner().PID))
			term.await(row.says)
			term.shell("clear")
			term.prompt()
			term.shell("echo typed $((40+2))")
			term.await("echo typed $((40+2))\ntyped 42") // what is typed is seen, and once
			l.must("down")
		})
	}
}

func TestScreenStaysOnAFailureUntilItIsLeft(t *testing.T) {
	l := newLab(t, "", map[string]string{"merlin-local.yaml": "model: broken\nexec: echo no weights here >&2; exit 3\n"})
	term := newTmux(l, 120, 40)
	term.shell("merlin-local up --runtime process --port 0; echo code=$?")
	term.await("CrashLoopBackOff", "exited with code 3", "no weights here")
	term.keys("q")
	term.await("code=", "no requests")
}
