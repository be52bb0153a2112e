package control_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("TEST_HOLD_SESSION"); dir != "" {
		hold(dir)
	}
	goleak.VerifyTestMain(m)
}

// hold takes the session of a repo and waits to be killed.
func hold(dir string) {
	if _, err := control.FindHome().Session(dir).Acquire(control.Owner{PID: os.Getpid(), Dir: dir}); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("held")
	select {}
}

func newSession(t *testing.T) control.Session {
	t.Helper()
	// A socket's path must be short; a test's temporary folder is not.
	home, err := os.MkdirTemp("", "ml")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	t.Setenv("MERLIN_LOCAL_HOME", home)
	return control.FindHome().Session(t.TempDir())
}

func acquire(t *testing.T, s control.Session) *control.Lock {
	t.Helper()
	lock, err := s.Acquire(control.Owner{PID: os.Getpid(), Dir: "/repo"})
	if err != nil {
		t.Fatal(err)
	}
	return lock
}

func TestASecondUpInTheSameRepoIsToldWhoHoldsIt(t *testing.T) {
	s := newSession(t)
	lock := acquire(t, s)
	_, err := s.Acquire(control.Owner{})
	var used *control.InUse
	if !errors.As(err, &used) || used.Owner.PID != os.Getpid() || !strings.Contains(err.Error(), "/repo") {
		t.Errorf("error is %v", err)
	}
	if !s.Alive() {
		t.Error("a held session is not alive")
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	if s.Alive() {
		t.Error("a released session is alive")
	}
}

func TestAReleasedSessionLeavesNoFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: Windows keeps the lock file")
	}
	s := newSession(t)
	lock := acquire(t, s)
	if err := os.WriteFile(s.Log(), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestReposHaveSessionsOfTheirOwn(t *testing.T) {
	first := newSession(t)
	second := control.FindHome().Session(t.TempDir())
	defer func() { _ = acquire(t, first).Release() }()
	if lock, err := second.Acquire(control.Owner{}); err != nil {
		t.Errorf("the second repo is refused: %v", err)
	} else if err := lock.Release(); err != nil {
		t.Error(err)
	}
	if named, mine := control.FindHome().Named(first.ID); !mine || named != first {
		t.Errorf("%s is not found by its id: %+v, %v", first.ID, named, mine)
	}
	if _, mine := control.FindHome().Named("00000000-00000000"); mine {
		t.Error("a stranger's session counts as ours")
	}
}

func TestAKilledUpHoldsNothing(t *testing.T) {
	newSession(t)
	dir := t.TempDir()
	s := control.FindHome().Session(dir)
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "TEST_HOLD_SESSION="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	word := make([]byte, 5)
	if _, err := out.Read(word); err != nil || string(word) != "held\n" {
		t.Errorf("the child said %q, %v", word, err)
	}
	if !s.Alive() || s.Owner().PID != child.Process.Pid {
		t.Errorf("alive %v, owner %+v", s.Alive(), s.Owner())
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	if s.Alive() {
		t.Error("a killed session is alive")
	}
	sessions, err := control.FindHome().Sessions()
	if err != nil || len(sessions) != 1 || sessions[0] != s {
		t.Errorf("sessions are %+v, %v: want the one it left", sessions, err)
	}
	lock := acquire(t, s)
	if lock.Killed.PID != child.Process.Pid {
		t.Errorf("the next owner is told that %+v was killed", lock.Killed)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
}

func TestAnUpWaitsForWhoSweepsItsSession(t *testing.T) {
	s := newSession(t)
	sweeper, err := s.Acquire(control.Owner{})
	if err != nil {
		t.Fatal(err)
	}
	acquired := make(chan error, 1)
	go func() {
		lock, err := s.Acquire(control.Owner{PID: os.Getpid()})
		if err == nil {
			err = lock.Release()
		}
		acquired <- err
	}()
	if err := sweeper.Release(); err != nil {
		t.Error(err)
	}
	if err := <-acquired; err != nil {
		t.Errorf("the up is refused: %v", err)
	}
}

func TestALookAtASessionThatIsNotThereLeavesNothing(t *testing.T) {
	s := newSession(t)
	if s.Alive() {
		t.Error("it is alive")
	}
	if _, err := os.Stat(s.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder was made: %v", err)
	}
}

func TestAFolderThatTheUserRemovedIsReleasedWithoutError(t *testing.T) {
	s := newSession(t)
	lock := acquire(t, s)
	if err := os.RemoveAll(s.Dir); err != nil && runtime.GOOS != "windows" {
		t.Fatal(err)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
}

func TestWaitTakesTheSessionWhenItIsFree(t *testing.T) {
	s := newSession(t)
	lock := acquire(t, s)
	got := make(chan error)
	go func() {
		next, err := s.Wait(t.Context())
		if err == nil {
			err = next.Release()
		}
		got <- err
	}()
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Error(err)
	}
}

// serve runs a server on a held session until the returned function is called.
func serve(t *testing.T, s control.Session, stream *event.Stream, down func()) (stop func()) {
	t.Helper()
	return answer(t, s, &control.Server{Events: stream, Down: down})
}

func answer(t *testing.T, s control.Session, server *control.Server) (stop func()) {
	t.Helper()
	lock := acquire(t, s)
	listener, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- server.Serve(ctx, listener) }()
	return func() {
		server.Events.Close()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := lock.Release(); err != nil {
			t.Error(err)
		}
	}
}

func TestTheStateIsThatOfTheRunningSession(t *testing.T) {
	s := newSession(t)
	stream := event.NewStream()
	defer serve(t, s, stream, nil)()
	stream.Publish("", 0, event.Session{ID: s.ID, Runtime: "docker"})
	stream.Publish("iris-1", 0, event.Declared{Name: "iris", FullName: "iris-1"})
	stream.Publish("iris-1", 1, event.PhaseChanged{Phase: event.PhaseReady})
	state, err := s.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if state.ID != s.ID || !state.Ready() {
		t.Errorf("state is %+v", state)
	}
}

func TestAFollowerReadsFromTheStartToTheEnd(t *testing.T) {
	s := newSession(t)
	stream := event.NewStream()
	stop := serve(t, s, stream, nil)
	stream.Publish("m", 1, event.Log{Text: "before"})
	stream.Publish("m", 1, event.Served{})
	var got []string
	for e, err := range s.Events(t.Context(), control.Query{Skip: []string{"served"}, Follow: true}) {
		if err != nil {
			t.Fatal(err)
		}
		switch f := e.Fact.(type) {
		case event.Log:
			got = append(got, f.Text)
			if f.Text == "before" {
				stream.Publish("m", 1, event.Log{Text: "after"})
			} else {
				stream.Publish("", 0, event.Ended{})
				go stop()
			}
		case event.Ended:
			got = append(got, "ended")
		default:
			t.Errorf("got %#v", f)
		}
	}
	if strings.Join(got, " ") != "before after ended" {
		t.Errorf("got %q", got)
	}
	if lock, err := s.Wait(t.Context()); err != nil {
		t.Error(err)
	} else if err := lock.Release(); err != nil {
		t.Error(err)
	}
}

func TestDownReachesTheSession(t *testing.T) {
	s := newSession(t)
	told := make(chan struct{})
	defer serve(t, s, event.NewStream(), func() { close(told) })()
	if err := s.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-told
}

func TestNobodyThereIsToldAsThat(t *testing.T) {
	s := newSession(t)
	if _, err := s.State(t.Context()); !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("error is %v", err)
	}
	if err := s.Down(t.Context()); !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("error is %v", err)
	}
}

func TestOnlyTheUserCanOpenTheSocket(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: Windows has no such modes")
	}
	s := newSession(t)
	defer serve(t, s, event.NewStream(), nil)()
	err := filepath.WalkDir(s.Dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAStaleSocketIsReplaced(t *testing.T) {
	s := newSession(t)
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(s.Dir, "sock"))
	if err != nil {
		t.Fatal(err)
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = listener.Close()
	stream := event.NewStream()
	defer serve(t, s, stream, nil)()
	if _, err := s.State(t.Context()); err != nil {
		t.Error(err)
	}
}
