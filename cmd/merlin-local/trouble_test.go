package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

func TestTroubleIsToldInWordsWithWhatToDo(t *testing.T) {
	for _, row := range []struct {
		fact  event.Fact
		model string
		want  string
	}{
		{event.Engine{Error: "connection refused"}, "", "warning: the Docker Engine does not answer: connection refused; the model may still serve; reconnecting"},
		{event.Engine{Answers: true, Away: 12 * time.Second, Running: 1}, "", "the Docker Engine answers again after 12s: 1 container(s) ran on"},
		{event.Engine{Answers: true, Away: 12 * time.Second, Ended: 2}, "", "the Docker Engine answers again after 12s: no container ran on; what ended with it (2) is started again"},
		{event.Slept{Took: 90*time.Minute + 300*time.Millisecond}, "", "this machine slept for about 1h30m0s, or its clock was set: "},
		{event.Exited{Code: 0, WithEngine: true}, "iris-1", "iris-1  ended with the Docker Engine: no exit of the model's own"},
		{event.Exited{Code: 137, OOMKilled: true, MemoryPeak: 200 << 20, MemoryLimit: 200 << 20}, "iris-1", "iris-1  exited with code 137, OOMKilled at 200Mi of 200Mi"},
		{event.Exited{Code: 1, OOMKilled: true}, "iris-1", "iris-1  exited with code 1, after the kernel killed a process of it (OOMKilled)"},
		{event.OutOfMemory{Kills: 2, MemoryLimit: 5 << 20}, "iris-1", "iris-1  OUT OF MEMORY: the kernel killed a process of it at the limit of 5.0Mi, and the container lives on (2 so far)\n  next: "},
		{event.Terminated{Grace: time.Second, Killed: true, Next: "n"}, "iris-1", "iris-1  ignored SIGTERM for 1s and was killed\n  next: n"},
		{event.Terminated{Grace: time.Second, Killed: true, Cut: 2, Next: "n"}, "iris-1", "iris-1  ignored SIGTERM for 1s and was killed, with 2 request(s) cut\n  next: n"},
		{event.Terminated{Grace: time.Second, Cut: 2, Next: "n"}, "iris-1", "iris-1  ended at SIGTERM with 2 request(s) cut\n  next: n"},
		{event.Terminated{Grace: time.Second, Forced: true, Cut: 2}, "iris-1", "iris-1  was ended at once, with 2 request(s) cut"},
		{event.Usage{Memory: 1}, "iris-1", ""},
	} {
		got := newPlain(io.Discard, nil).text(event.Event{Model: row.model, Time: time.Now(), Fact: row.fact})
		if !strings.HasPrefix(got, row.want) || (row.want == "") != (got == "") {
			t.Errorf("%#v is told as\n%s\nwant\n%s", row.fact, got, row.want)
		}
	}
}

func TestLimitsOfMoreMemoryThanThereIsAreWarnedOf(t *testing.T) {
	m := &emulator.Model{Deployment: merlin.Deployment{Platform: merlin.DefaultPlatform()}, Replicas: 3}
	models := []*emulator.Model{m, {Deployment: m.Deployment}} // 4 times 1000Mi
	if text := overcommitted(models, 4000<<20); text != "" {
		t.Errorf("just enough, and still: %s", text)
	}
	if text := overcommitted(models, 3999<<20); !strings.HasPrefix(text, "the memory limits of 4 container(s) are 4000Mi together, and the Docker Engine's machine has 3999Mi") {
		t.Errorf("it says %q", text)
	}
	if text := overcommitted(models, 0); text != "" {
		t.Errorf("of an unknown machine it says %q", text)
	}
}
