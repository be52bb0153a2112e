//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/artifact"
	"github.com/caraml-dev/merlin-local/emulator/docker"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
	"github.com/caraml-dev/merlin-local/emulator/process"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// mistake is a model that does not serve, and what its card has to say.
type mistake struct {
	name   string
	args   string
	change func(m *emulator.Model)
	reach  docker.Reach
	cause  event.Cause
	says   string // in why or next
}

// wrong is a mistake of the fake model's own.
func wrong(name string, cause event.Cause, says string) mistake {
	return mistake{name: name, args: "-wrong " + name, cause: cause, says: says}
}

func (m mistake) with(change func(m *emulator.Model)) mistake {
	m.change = change
	return m
}

// published is the same behind the Engine's proxy, which takes every connection.
func (m mistake) published() mistake {
	m.name += " published"
	m.reach = docker.ReachPublished
	return m
}

func upiProtocol(m *emulator.Model) { m.Deployment.Protocol = merlin.UPIV1 }

func command(text string) func(m *emulator.Model) {
	return func(m *emulator.Model) { m.Deployment.Command, m.Deployment.Args = text, "" }
}

func mistakes(asUser string) []mistake {
	return []mistake{
		wrong("loopback", event.CauseLoopback, "127.0.0.1:8080"),
		wrong("other-port", event.CauseOtherPort, "5000, not on port 8080"),
		wrong("no-port", event.CauseNotListening, "may still be loading"),
		wrong("loopback", event.CauseLoopback, "127.0.0.1:8080").published(),
		wrong("no-port", event.CauseNotListening, "may still be loading").published(),
		wrong("grpc-only", event.CauseGRPCForHTTP, "UPI_V1"),
		wrong("http-only", event.CauseHTTPForGRPC, "HTTP_JSON").with(upiProtocol),
		wrong("not-serving", event.CauseGRPCNotServing, "NOT_SERVING").with(upiProtocol),
		wrong("tls", event.CauseTLS, "without TLS"),
		wrong("garbage", event.CauseNotReady, "malformed HTTP"),
		wrong("path", event.CauseHealthPath, "/v1/models/iris 200: it is built from CARAML_MODEL_NAME"),
		wrong("no-path", event.CauseNoHealthPath, "CARAML_MODEL_FULL_NAME"),
		wrong("loading", event.CauseHealthUnavailable, "loading 40 %"),
		wrong("redirect", event.CauseHealthRedirects, "307"),
		wrong("login", event.CauseHealthRefuses, "401"),
		wrong("broken", event.CauseHealthErrors, "no weights"),
		wrong("no-content", event.CauseHealthOther, "204"),
		wrong("slow", event.CauseHealthSlow, "no answer within 1s").with(func(m *emulator.Model) { m.Readiness.Timeout = time.Second }),
		wrong("sick", event.CauseLiveness, "failed once").with(func(m *emulator.Model) {
			m.Liveness = emulator.ProbeSettings{InitialDelay: time.Second, FailureThreshold: 1}
		}),
		wrong("port-in-use", event.CausePortInUse, "port 8080"),
		wrong("read-only", event.CauseReadOnlyArtifact, "/mnt/models/cache.bin"),
		wrong("no-artifact", event.CauseMissingArtifact, "which has model.properties, weights.bin"),
		wrong("no-file", event.CauseMissingFile, "/app/weights.bin"),
		wrong("no-permission", event.CausePermission, "user 1000 may not use /app.lock").with(func(m *emulator.Model) { m.Deployment.Image = asUser }),
		wrong("no-variable", event.CauseUnsetVariable, "CARAML_ARTIFACT_LOCATION"),
		wrong("no-module", event.CauseMissingModule, "sklearn"),
		wrong("no-library", event.CauseMissingLibrary, "libgomp.so.1"),
		wrong("traceback", event.CauseException, "ValueError: bad magic number (/app/main.py, line 7)"),
		wrong("background", event.CauseExitedZero, "background"),
		{name: "greedy", args: "-greedy", cause: event.CauseOOMKilled, says: "32 MiB", change: func(m *emulator.Model) {
			m.Deployment.ResourceRequest = &merlin.ResourceRequest{CPURequest: "500m", MemoryRequest: "16Mi", MaxReplica: 1}
		}},
		{name: "quotes", args: `-exit "3"`, cause: event.CauseQuotes, says: `"3"`},
		{name: "unknown flag", args: "-workers 2", cause: event.CauseArguments, says: "-workers"},
		{name: "exit 3", args: "-exit 3", cause: event.CauseExited, says: "bad magic number"},
		{name: "exit 139", args: "-exit 139", cause: event.CauseCrash, says: "SIGSEGV"},
		{name: "exit 143", args: "-exit 143", cause: event.CauseKilled, says: "SIGTERM"},
		{name: "no command", change: command("/bin/server"), cause: event.CauseCommandNotFound, says: "/bin/server is not in the image"},
		{name: "no shell", change: command("/bin/sh -c /fakemodel"), cause: event.CauseCommandNotFound, says: "the image has no shell"},
		{name: "a text", change: command("/text"), cause: event.CauseNotExecutable, says: "/text"},
		{name: "foreign", change: command("/foreign"), cause: event.CauseArchitecture, says: "its program is not for"},
	}
}

// foreignProgram is the head of a program for a CPU that is not this one's.
func foreignProgram() string {
	head := make([]byte, 64)
	copy(head, "\x7fELF\x02\x01\x01")
	head[16] = 2    // executable
	head[18] = 0x16 // IBM S/390
	return string(head)
}

const mistakesDockerfile = `FROM scratch AS root
COPY fakemodel text /
COPY --chmod=755 foreign /
ENTRYPOINT ["/fakemodel"]
FROM root AS user
USER 1000
`

// workshop makes runtimes of sessions of their own, whose images and containers are
// gone after the test.
func workshop(t *testing.T) func(t *testing.T, reach docker.Reach) *docker.Runtime {
	t.Helper()
	engine, err := findEngine()
	if err != nil {
		t.Skipf("SKIPPED, SO NOT PROVEN: no Docker Engine answers: %v", err)
	}
	return func(t *testing.T, reach docker.Reach) *docker.Runtime {
		t.Helper()
		id := fmt.Sprintf("test-%d-%d", os.Getpid(), time.Now().UnixNano())
		runtime, err := docker.Connect(t.Context(), docker.Options{Session: id, Reach: reach})
		check(t, err)
		t.Cleanup(func() {
			if containers, others, err := engine.made(id); len(containers)+len(others) > 0 || err != nil {
				t.Errorf("left on the Engine: %q %q %v", containers, others, err)
			}
			if err := errors.Join(engine.forget(id), runtime.Close()); err != nil {
				t.Error(err)
			}
		})
		return runtime
	}
}

// mistakenImages are the fake model's image, and the same as another user.
func mistakenImages(t *testing.T, runtime *docker.Runtime) (asRoot, asUser string) {
	t.Helper()
	dir := t.TempDir()
	program, err := fakemodel()
	check(t, err)
	check(t, os.Link(program, filepath.Join(dir, "fakemodel")))
	for name, content := range map[string]string{"Dockerfile": mistakesDockerfile, "text": "no program", "foreign": foreignProgram()} {
		check(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	build := func(target string) string {
		m := &emulator.Model{Deployment: merlin.Deployment{Project: "sample", Model: target, Version: "1"}}
		m.Build = &emulator.Build{Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile"), Target: target}
		image, err := runtime.Image(t.Context(), emulator.ImageSpec{Model: m, Revision: 1}, func(event.Fact) {})
		check(t, err)
		return image.ID
	}
	return build("root"), build("user")
}

// nowhere is a port that nobody asks.
type nowhere struct{}

func (nowhere) Route(string, int, []netip.AddrPort) {}
func (nowhere) Hold(string)                         {}
func (nowhere) Farewell(string, netip.AddrPort) func(context.Context) int {
	return func(context.Context) int { return 0 }
}
func (nowhere) Fail(string, string)                                    {}
func (nowhere) Drain(context.Context, string, ...netip.AddrPort) error { return nil }

// firstCard runs a model until it gets a card, which is returned, and ends it.
func firstCard(t *testing.T, runtime emulator.Runtime, m *emulator.Model) event.Failed {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stream := event.NewStream()
	events := stream.Subscribe()
	done := make(chan error, 1)
	running, end := context.WithCancel(ctx)
	go func() {
		done <- emulator.New(emulator.Options{
			Models: []*emulator.Model{m}, Runtime: runtime, Router: nowhere{}, Prober: prober{}, Examiner: examiner{},
			Stager: artifact.Stager{Root: t.TempDir()}, Shell: process.Shell{}, Events: stream,
			Grace: time.Second, Deadline: time.Minute,
		}).Run(running)
	}()
	defer func() {
		end()
		if err := <-done; err != nil && !t.Failed() {
			t.Errorf("it ended with %v", err)
		}
	}()
	var state session.State
	state.Apply(event.Event{Fact: event.Session{}})
	state.Apply(event.Event{Model: m.ID(), Fact: event.Declared{Name: "iris", Version: "1", FullName: m.Deployment.FullName()}})
	for {
		all, err := events.Next(ctx)
		check(t, err)
		for _, e := range all {
			if state.Apply(e); state.Models[0].Failure != nil {
				return *state.Models[0].Failure
			}
		}
	}
}

func TestEveryMistakeIsDiagnosedOnTheEngine(t *testing.T) {
	runtime := workshop(t)
	asRoot, asUser := mistakenImages(t, runtime(t, docker.ReachAuto))
	turns := make(chan struct{}, 2)   // at a time, whatever -parallel says
	t.Run("all", func(t *testing.T) { // returns when the parallel ones have
		for _, c := range mistakes(asUser) {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				turns <- struct{}{}
				defer func() { <-turns }()
				m := mistaken(t, c, asRoot)
				wantDiagnosis(t, firstCard(t, runtime(t, c.reach), m), c)
			})
		}
	})
}

// mistaken is a model that makes a mistake.
func mistaken(t *testing.T, c mistake, image string) *emulator.Model {
	t.Helper()
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "weights.bin"), []byte("1 2 3"), 0o644))
	m := &emulator.Model{ModelDir: dir, Dir: dir, Deployment: merlin.Deployment{
		Project: "sample", Model: "iris", Version: "1", Revision: 2, Protocol: merlin.HTTPJSON, Image: image, Args: c.args,
		ArtifactURI: "gs://b/a", Platform: merlin.DefaultPlatform(),
	}}
	if c.change != nil {
		c.change(m)
	}
	return m
}

func wantDiagnosis(t *testing.T, card event.Failed, c mistake) {
	t.Helper()
	t.Logf("%s\n", prose.Failed(card))
	if card.Cause != c.cause || !strings.Contains(card.Why+" / "+card.Next, c.says) || card.Next == "" {
		t.Errorf("the card is %+v, want %s with %q", card, c.cause, c.says)
	}
	if card.Exit == nil && card.Probe == nil {
		t.Errorf("the card has neither an exit nor a probe: %+v", card)
	}
}
