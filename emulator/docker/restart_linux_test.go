package docker_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/docker"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// privateEngine is an Engine of the test's own, in a network namespace of its own:
// another Engine's bridge must not be touched.
type privateEngine struct {
	dir   string
	flags []string
	api   *client.Client

	running *exec.Cmd
}

func newPrivateEngine(t *testing.T, flags ...string) *privateEngine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: only root can run an Engine of the test's own")
	}
	for _, program := range []string{"dockerd", "unshare"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("SKIPPED: an Engine of the test's own cannot run: ", err)
		}
	}
	e := &privateEngine{dir: shortDir(t), flags: flags}
	write(t, e.dir+"/config.json", "{}") // not the machine's
	var err error
	e.api, err = client.NewClientWithOpts(client.WithHost(e.host()), client.WithAPIVersionNegotiation())
	check(t, err)
	t.Cleanup(func() { e.close(t) })
	e.start(t)
	return e
}

func (e *privateEngine) host() string { return "unix://" + e.dir + "/docker.sock" }

// start runs the Engine until it answers.
func (e *privateEngine) start(t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(e.dir+"/log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	check(t, err)
	defer log.Close()
	e.running = exec.Command("unshare", append([]string{
		"-n", "dockerd", "--config-file", e.dir + "/config.json", "--host", e.host(), "--data-root", e.dir + "/data", "--exec-root", e.dir + "/exec",
		"--pidfile", e.dir + "/pid", "--storage-driver", "vfs", "--iptables=false", "--ip-forward=false",
	}, e.flags...)...)
	e.running.Stdout, e.running.Stderr = log, log
	check(t, e.running.Start())
	t.Cleanup(func() {
		if said, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("the test's own Engine wrote:\n%s", said)
		}
	})
	eventually(t, "the test's own Engine answers", func() bool {
		_, err := e.api.Ping(context.Background())
		return err == nil
	})
}

// kill ends the Engine with no chance to tidy up. Its containers live on.
func (e *privateEngine) kill(t *testing.T) {
	t.Helper()
	check(t, e.running.Process.Kill())
	_ = e.running.Wait()
	// Its containerd dies with it. As a zombie that nobody reaps it would be taken
	// for a living one.
	check(t, errors.Join(os.RemoveAll(e.dir+"/pid"), os.RemoveAll(e.dir+"/exec/containerd/containerd.pid")))
}

func (e *privateEngine) close(t *testing.T) {
	_ = e.api.Close()
	if e.running.ProcessState == nil {
		_ = e.running.Process.Signal(syscall.SIGTERM)
		_ = e.running.Wait()
	}
	// Containers outlive a killed Engine, and a network namespace its mount.
	e.endContainers(t)
	mounts, err := os.ReadFile("/proc/self/mounts")
	check(t, err)
	for line := range strings.Lines(string(mounts)) {
		if where := strings.Fields(line)[1]; strings.HasPrefix(where, e.dir+"/") {
			_ = syscall.Unmount(where, syscall.MNT_DETACH)
		}
	}
}

// endContainers kills the first process of what containers are left, and with it all.
func (e *privateEngine) endContainers(t *testing.T) {
	t.Helper()
	left, err := filepath.Glob(e.dir + "/exec/containerd/daemon/io.containerd.runtime.v2.task/*/*/init.pid")
	check(t, err)
	for _, path := range left {
		content, err := os.ReadFile(path)
		check(t, err)
		pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
		check(t, err)
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// readAlong copies a container's logs from another goroutine.
type readAlong struct {
	mu   sync.Mutex
	text strings.Builder
	done chan error
}

func follow(t *testing.T, read func(ctx context.Context, stdout, stderr io.Writer) error) *readAlong {
	r := &readAlong{done: make(chan error, 1)}
	go func() { r.done <- read(t.Context(), r, io.Discard) }()
	return r
}

func (r *readAlong) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *readAlong) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func TestAKilledEngineIsNotTheModelsExit(t *testing.T) {
	newLab(t) // an Engine is wanted at all
	e := newPrivateEngine(t, "--live-restore")
	l := newLab(t, at(e.host()), reach(docker.ReachAddress))
	c, err := l.Start(t.Context(), spec(l.image(t), "serve"))
	check(t, err)
	logs := follow(t, c.Logs)
	eventually(t, "the model serves", func() bool { return logs.String() == "serving\n" })

	e.kill(t)
	if err := c.Stop(t.Context(), patience); err == nil {
		t.Error("a Stop without an Engine gave no error")
	}
	select {
	case exit := <-c.Exited():
		t.Fatalf("the killed Engine was taken for an exit: %+v", exit)
	default:
	}
	e.start(t)
	check(t, c.Stop(t.Context(), patience))
	if exit := exited(t, c); exit.Code != 0 || exit.Error != "" {
		t.Errorf("exit is %+v", exit)
	}
	check(t, <-logs.done)
	if got := logs.String(); got != "serving\nasked to end\n" {
		t.Errorf("the logs are %q", got)
	}
	check(t, c.Remove(t.Context()))
}

func TestAnExitBehindARestartOfTheEngineSaysSo(t *testing.T) {
	newLab(t)
	e := newPrivateEngine(t) // ends its containers when it starts again
	l := newLab(t, at(e.host()), reach(docker.ReachAddress))
	c, err := l.Start(t.Context(), spec(l.image(t), "serve"))
	check(t, err)
	logs := follow(t, c.Logs)
	eventually(t, "the model serves", func() bool { return logs.String() == "serving\n" })
	e.kill(t)
	e.start(t)
	exit := exited(t, c)
	contains(t, exit.Error, "the Engine did not answer", "not the model's own")
	if !exit.WithEngine {
		t.Errorf("the exit is %+v", exit)
	}
	check(t, <-logs.done)
	check(t, c.Stop(t.Context(), patience))
	check(t, c.Remove(t.Context()))
}

// stop ends the Engine as a service manager does: it ends its containers first.
func (e *privateEngine) stop(t *testing.T) {
	t.Helper()
	check(t, e.running.Process.Signal(syscall.SIGTERM))
	_ = e.running.Wait()
}

func engineFact(t *testing.T, told <-chan event.Fact) event.Engine {
	t.Helper()
	select {
	case f := <-told:
		return f.(event.Engine)
	case <-time.After(patience):
		t.Fatal("nothing is told of the Engine")
		return event.Engine{}
	}
}

func TestAStoppedEngineTakesItsContainersWithItAndIsToldOnce(t *testing.T) {
	newLab(t)
	e := newPrivateEngine(t)
	l := newLab(t, at(e.host()), reach(docker.ReachAddress))
	image := l.image(t)
	told := l.watched(t)
	c, err := l.Start(t.Context(), spec(image, "serve"))
	check(t, err)
	logs := follow(t, c.Logs)
	eventually(t, "the model serves", func() bool { return logs.String() == "serving\n" })
	e.stop(t)
	if exit := exited(t, c); !exit.WithEngine || exit.OOMKilled {
		t.Errorf("the exit is %+v", exit)
	}
	if f := engineFact(t, told); f.Answers || f.Error == "" {
		t.Errorf("told is %+v", f)
	}
	if _, err := l.Start(t.Context(), spec(image, "serve")); !errors.Is(err, emulator.ErrEngineAway) {
		t.Errorf("a start without an Engine gives %v", err)
	}
	e.start(t)
	if f := engineFact(t, told); !f.Answers || f.Ended != 1 || f.Running != 0 || f.Away <= 0 {
		t.Errorf("told is %+v", f)
	}
	check(t, c.Remove(t.Context()))
	check(t, <-logs.done)
	if len(told) > 0 {
		t.Errorf("more is told: %+v", <-told)
	}
}

func TestAfterTheEngineIsBackItsEventsAreReadOnAndWhatWasGivenUpIsRemoved(t *testing.T) {
	newLab(t)
	e := newPrivateEngine(t, "--live-restore")
	l := newLab(t, at(e.host()), reach(docker.ReachAddress))
	image := l.image(t)
	told := l.watched(t)
	lives, err := l.Start(t.Context(), spec(image, "serve"))
	check(t, err)
	given, err := l.Start(t.Context(), spec(image, "serve"))
	check(t, err)
	e.kill(t)
	if f := engineFact(t, told); f.Answers {
		t.Errorf("told is %+v", f)
	}
	if err := given.Remove(t.Context()); err == nil {
		t.Error("a removal without an Engine gave no error")
	}
	e.start(t)
	if f := engineFact(t, told); !f.Answers || f.Running != 1 || f.Ended != 0 {
		t.Errorf("told is %+v", f)
	}
	eventually(t, "what was given up is removed", func() bool {
		left, err := e.api.ContainerList(t.Context(), container.ListOptions{All: true, Filters: l.own()})
		return err == nil && len(left) == 1 && left[0].ID == lives.Started().Container
	})
	s := spec(image, "parent")
	s.MemoryBytes = 64 << 20
	c := l.start(t, s)
	select {
	case <-c.OOMs():
	case <-time.After(patience):
		t.Error("a kill for memory is not told any more")
	}
	check(t, lives.Remove(t.Context()))
}
