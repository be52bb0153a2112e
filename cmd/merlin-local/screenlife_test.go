//go:build unix

package main

import (
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

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

func TestScreenShowsACrashLoopUntilItIsLeft(t *testing.T) {
	l := newLab(t, "", map[string]string{"merlin-local.yaml": "model: broken\nexec: echo no weights here >&2; exit 3\n"})
	term := newTmux(l, 120, 40)
	term.shell("merlin-local up --runtime process --port 0; echo code=$?")
	term.await("CrashLoopBackOff", "exited with code 3", "no weights here")
	term.keys("q", "y")
	term.await("code=", "no requests")
	l.nothingLeft()
}

// The session is over then, and only its screen is left.
func TestScreenStaysOnAFailureUntilWhateverEndsIt(t *testing.T) {
	l := newLab(t, "", map[string]string{"merlin-local.yaml": "model: broken\nexec: exit 3\n"})
	signal := func(s syscall.Signal) func(*tmux, int) error {
		return func(_ *tmux, pid int) error { return syscall.Kill(pid, s) }
	}
	for _, row := range []struct {
		name string
		end  func(term *tmux, pid int) error
	}{
		{"q", func(term *tmux, _ int) error { term.keys("q"); return nil }}, // nothing is lost: it does not ask
		{"ctrl-c", func(term *tmux, _ int) error { term.keys("C-c"); return nil }},
		{"interrupt", signal(syscall.SIGINT)},
		{"terminate", signal(syscall.SIGTERM)},
		{"hang up", signal(syscall.SIGHUP)},
		{"down", func(*tmux, int) error { l.must("down"); return nil }},
	} {
		t.Run(row.name, func(t *testing.T) {
			term := newTmux(l, 120, 40)
			term.shell("merlin-local up --runtime process --port 0 --wait-restarts=false; echo code=$?")
			term.await("THE SESSION HAS FAILED", "exited with code 3")
			check(t, row.end(term, l.session.Owner().PID))
			term.await("ended with: ", "code=1")
			term.prompt()
			l.nothingLeft()
		})
	}
}

func TestScreenWhoseTerminalIsClosedLeavesNothingRunning(t *testing.T) {
	broken := func(exec string) func(t *testing.T) *lab {
		return func(t *testing.T) *lab {
			return newLab(t, "", map[string]string{"merlin-local.yaml": "model: broken\nexec: " + exec + "\n"})
		}
	}
	for _, row := range []struct {
		name    string
		repo    func(t *testing.T) *lab
		runtime string
		says    string
	}{
		{"while it serves", func(t *testing.T) *lab { return sample(t, "iris-http-go") }, "docker", "iris-1 READY"},
		{"while it starts", broken("sleep 1000"), "process", "broken-1 WAITING"},
		{"after it failed", broken("exit 3"), "process", "THE SESSION HAS FAILED"},
	} {
		t.Run(row.name, func(t *testing.T) {
			l := row.repo(t)
			term := newTmux(l, 120, 40)
			term.shell("merlin-local up --port 0 --wait-restarts=false --runtime " + row.runtime)
			term.await(row.says)
			family := descendants(t, l.session.Owner().PID)
			contains(t, strings.Join(slices.Collect(maps.Values(family)), "\n"), guardCommand)
			term.close()
			await(t, "all its processes have ended", func() bool {
				for pid := range family {
					if running(pid) {
						return false
					}
				}
				return true
			})
			l.nothingLeft()
		})
	}
}

// descendants are a process and all that it started, with their command lines.
func descendants(t *testing.T, pid int) map[int]string {
	t.Helper()
	listed, err := exec.Command("ps", "-A", "-o", "pid=", "-o", "ppid=", "-o", "args=").Output()
	check(t, err)
	commands, parents := map[int]string{}, map[int]int{}
	for line := range strings.Lines(string(listed)) {
		fields := strings.Fields(line)
		of, err := strconv.Atoi(fields[0])
		check(t, err)
		parent, err := strconv.Atoi(fields[1])
		check(t, err)
		commands[of], parents[of] = strings.Join(fields[2:], " "), parent
	}
	family := map[int]string{}
	for p, command := range commands {
		for at := p; at > 0; at = parents[at] {
			if at == pid {
				family[p] = command
			}
		}
	}
	return family
}
