//go:build unix

package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestAttachShowsASessionThatGoesOnWithoutTheScreen(t *testing.T) {
	l := sample(t, "iris-http-go")
	term := newTmux(l, 120, 40)
	term.shell("merlin-local attach; echo code=$?")
	term.await("no `up` is running here", "code=1")

	l.must("up", "-d", "--runtime", "process", "--port", "0")
	term.shell("clear; merlin-local attach; echo code=$?")
	term.await("iris-1 READY", "1 Overview", "3 Logs")
	l.must("predict")
	term.await("req/s", "errors 0")
	term.keys("?")
	term.await("leave; the session goes on")
	term.keys("Escape", "R")
	term.await("revision 2 serves")
	term.keys("q")
	term.await("iris-1  revision 2  1 request, 0 errors", "code=0")
	term.prompt()
	if pid := l.session.Owner().PID; pid == 0 || syscall.Kill(pid, 0) != nil {
		t.Fatal("the session has gone with the screen")
	}

	term.shell("clear; merlin-local attach; echo code=$?")
	term.await("iris-1 READY")
	l.must("down")
	term.await("THE SESSION HAS ENDED")
	term.keys("q")
	term.await("iris-1  revision 2  1 request, 0 errors", "code=0")
	term.prompt()
}

func TestAttachSaysThatASessionWasKilledAndEndsAtASignal(t *testing.T) {
	l := sample(t, "iris-http-go")
	l.must("up", "-d", "--runtime", "process", "--port", "0")
	term := newTmux(l, 100, 30)
	term.shell("merlin-local attach; echo code=$?")
	term.await("iris-1 READY")
	check(t, syscall.Kill(l.session.Owner().PID, syscall.SIGKILL))
	term.await("THE SESSION HAS ENDED")
	term.keys("q")
	term.await("code=0")
	l.must("down")
}

func TestReplaySessionShowsWhatUpRecorded(t *testing.T) {
	l := sample(t, "iris-http-go")
	recording := filepath.Join(l.home, "session.jsonl")
	term := newTmux(l, 120, 40)
	term.shell("merlin-local up -o json --runtime process --port 0 > " + recording)
	await(t, "the model serves", func() bool { _, code := l.run("predict"); return code == 0 })
	l.must("predict")
	l.must("down")
	term.prompt()

	term.shell("clear; merlin-local replay-session " + recording + "; echo code=$?")
	term.await("RECORDING", "1 Overview", "STOPPED")
	term.keys("Home")
	term.await("+0s 0/", "nothing has happened yet")
	term.keys(".", ".")
	term.until("a place after the beginning", func(screen string) bool {
		return !strings.Contains(screen, "+0s 0/") && strings.Contains(screen, "iris-1")
	})
	term.keys("Space")
	term.await("PLAYING")
	term.keys("End")
	term.await("RECORDING")
	term.keys("q")
	term.await("2 requests, 0 errors", "code=0")
	term.prompt()
}
