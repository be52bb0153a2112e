package docker_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/docker"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

func TestAnExitTellsItsCode(t *testing.T) {
	l := newLab(t)
	image := l.image(t, "FROM scratch", "COPY model /model", "COPY Dockerfile /text", `ENTRYPOINT ["/model"]`)
	for _, test := range []struct {
		name          string
		command, args []string
		code          int
		says          string
	}{
		{"success", nil, []string{"exit", "0"}, 0, ""},
		{"a code of the model's own", nil, []string{"exit", "42"}, 42, ""},
		{"a command that is not there", []string{"/nowhere"}, nil, 127, "no such file"},
		{"a command that is not executable", []string{"/text"}, nil, 126, "permission denied"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := spec(image, test.args...)
			s.Command = test.command
			c := l.start(t, s)
			exit := exited(t, c)
			if exit.Code != test.code || exit.OOMKilled || !strings.Contains(exit.Error, test.says) || (test.says == "") != (exit.Error == "") {
				t.Errorf("exit is %+v, want code %d and %q", exit, test.code, test.says)
			}
			if out, _ := logged(t, c); test.code == 42 && out != "exiting with 42\n" {
				t.Errorf("it wrote %q", out)
			}
			check(t, c.Stop(t.Context(), patience))
		})
	}
}

func TestAnExitForMemorySaysSo(t *testing.T) {
	l := newLab(t)
	s := spec(l.image(t), "eat")
	s.MemoryBytes = 32 << 20
	exit := exited(t, l.start(t, s))
	if exit.Code != 137 || !exit.OOMKilled {
		t.Errorf("exit is %+v, want 137 and OOMKilled", exit)
	}
}

// watched follows the session's events until the test ends.
func (l *lab) watched(t *testing.T) <-chan event.Fact {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	told, done := make(chan event.Fact, 100), make(chan error, 1)
	go func() { done <- l.Watch(ctx, func(f event.Fact) { told <- f }) }()
	t.Cleanup(func() { stop(); check(t, <-done) })
	return told
}

func TestAChildThatIsKilledForMemoryIsToldWhileTheContainerLives(t *testing.T) {
	l := newLab(t)
	l.watched(t)
	s := spec(l.image(t), "parent")
	s.MemoryBytes = 64 << 20
	c := l.start(t, s)
	select {
	case <-c.OOMs():
	case <-time.After(patience):
		t.Fatal("the kill was not told")
	}
	if seen := ask(t, c); seen.PID != 1 {
		t.Errorf("it is %+v", seen)
	}
	select {
	case exit := <-c.Exited():
		t.Errorf("the container ended: %+v", exit)
	default:
	}
}

func TestAnExitAfterAChildWasKilledForMemoryHasTheMainProcessesCode(t *testing.T) {
	l := newLab(t)
	l.watched(t)
	s := spec(l.image(t), "parent", "1")
	s.MemoryBytes = 64 << 20
	c := l.start(t, s)
	select {
	case <-c.OOMs():
	case <-time.After(patience):
		t.Fatal("the kill was not told")
	}
	if exit := exited(t, c); exit.Code != 1 || !exit.OOMKilled || exit.WithEngine {
		t.Errorf("exit is %+v", exit)
	}
}

func TestAStartThatIsGivenUpLeavesNothing(t *testing.T) {
	l := newLab(t)
	image := l.image(t)
	for _, moment := range []string{"/networks/bridge", "/containers/create", "/wait", "/start", "/json"} {
		t.Run(moment, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			through := refusing(t, l, func(r *http.Request, _ string) (int, string) {
				if strings.HasSuffix(r.URL.Path, moment) {
					cancel()
				}
				return 0, ""
			}).again(t, reach(docker.ReachAuto))
			if _, err := through.Start(ctx, spec(image)); err == nil {
				t.Error("it was started all the same")
			}
			if left := through.left(t); len(left) > 0 {
				t.Errorf("left behind: %s", left)
			}
		})
	}
}

func TestAStartThatTheEngineRefusesLeavesNothing(t *testing.T) {
	l := newLab(t)
	image := l.image(t)

	tiny := spec(image)
	tiny.MemoryBytes = 1 << 20
	_, err := l.Start(t.Context(), tiny)
	if err == nil {
		t.Fatal("a memory limit of 1 MiB was accepted")
	}
	contains(t, err.Error(), "create the container", "memory")

	gone := spec(image)
	gone.Image.ID = "sha256:" + strings.Repeat("0", 64)
	if _, err := l.Start(t.Context(), gone); err == nil {
		t.Error("an image that is not there was started")
	}
	if left := l.left(t); len(left) > 0 {
		t.Errorf("left behind: %s", left)
	}
}
