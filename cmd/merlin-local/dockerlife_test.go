//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestAContainerThatExitsAtItsStartIsTold(t *testing.T) {
	l, image := prebuilt(t)
	out, code := l.run("up", "-d", "--runtime", "docker", "--port", "0", "--image", image, "--model", "iris", "--args", "-exit 3")
	if code != exitFailed {
		t.Errorf("the exit code is %d", code)
	}
	contains(t, out, "exited with code 3 before it was ready", "loading /mnt/models/weights.bin", "bad magic number", "next: ")
	l.nothingLeft()
}

func TestACommandThatIsNotInTheImageIsTold(t *testing.T) {
	l, image := prebuilt(t)
	out, code := l.run("up", "-d", "--runtime", "docker", "--port", "0", "--image", image, "--model", "iris", "--command", "/bin/server")
	if code != exitFailed {
		t.Errorf("the exit code is %d", code)
	}
	contains(t, out, "/bin/server", "next: ")
	l.nothingLeft()
}

func TestAModelThatEatsMoreThanItsLimitIsOOMKilled(t *testing.T) {
	l, image := prebuilt(t)
	check(t, os.WriteFile(filepath.Join(l.repo, "merlin-local.yaml"),
		[]byte("model: iris\nargs: -greedy\nimage: "+image+"\nresource_request:\n  memory_request: 16Mi\n"), 0o644))
	out, code := l.run("up", "-d", "--runtime", "docker", "--port", "0")
	if code != exitFailed {
		t.Errorf("the exit code is %d", code)
	}
	contains(t, out, "exited with code 137", "OOMKilled", "memory 32Mi", "raise resource_request.memory_request")
	l.nothingLeft()
}

func TestAMissingImageIsToldWithWhatToDo(t *testing.T) {
	l := newLab(t, "", nil)
	const image = "127.0.0.1:1/nobody/nothing:v1"
	out, code := l.run("up", "-d", "--runtime", "docker", "--port", "0", "--image", image, "--model", "iris")
	if code != exitFailed {
		t.Errorf("the exit code is %d", code)
	}
	contains(t, out, image, "cannot be pulled", "next: ", "build the image")
	l.nothingLeft()
}

// 50 are asked for by MERLIN_LOCAL_CYCLES=50; a few tell the most.
func TestCyclesOfUpAndDownLeaveNothing(t *testing.T) {
	cycles := 3
	if asked := os.Getenv("MERLIN_LOCAL_CYCLES"); asked != "" {
		var err error
		cycles, err = strconv.Atoi(asked)
		check(t, err)
	}
	l := modelRepo(t, "model: apple\nmodel_dir: artifact\n", "artifact/weights.bin", "1 2 3")
	for range cycles {
		l.up()
		contains(t, l.must("predict", "-d", "{}"), `"model":"apple-1"`)
		contains(t, l.must("down"), "stopped")
		l.nothingLeft()
		if t.Failed() {
			t.FailNow()
		}
	}
}

func TestDownRemovesTheContainersOfAKilledUp(t *testing.T) {
	l, image := prebuilt(t)
	l.up("--image", image, "--model", "iris")
	id := l.status().Models[0].ContainerID
	check(t, syscall.Kill(l.status().PID, syscall.SIGKILL))
	await(t, "the killed up is gone", func() bool { return !l.session.Alive() })
	if left, _, err := l.made(l.session.ID); err != nil || len(left) != 1 || left[0] != id {
		t.Fatalf("left before down: %q, %v", left, err)
	}
	contains(t, l.must("down"), "removed what 1 killed session(s) had left")
	l.nothingLeft()
}

func TestTheNextUpRemovesTheContainersOfAKilledUp(t *testing.T) {
	l, image := prebuilt(t)
	l.up("--image", image, "--model", "iris")
	check(t, syscall.Kill(l.status().PID, syscall.SIGKILL))
	await(t, "the killed up is gone", func() bool { return !l.session.Alive() })
	l.up("--image", image, "--model", "iris")
	if now, _, err := l.made(l.session.ID); err != nil || len(now) != 1 || now[0] != l.status().Models[0].ContainerID {
		t.Errorf("there are the containers %q, %v", now, err)
	}
	if staged, err := os.ReadDir(l.session.Artifacts()); err != nil || len(staged) != 1 {
		t.Errorf("there are the artifacts %v, %v", staged, err)
	}
	l.must("down")
	l.nothingLeft()
}

func TestAnInterruptRemovesTheContainer(t *testing.T) {
	l, image := prebuilt(t)
	up := l.foreground("up", "--runtime", "docker", "--port", "0", "--image", image, "--model", "iris")
	await(t, "the model is ready", func() bool { return strings.Contains(up.String(), "ready in") })
	check(t, up.Process.Signal(os.Interrupt))
	if err := up.Wait(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, up)
	}
	contains(t, up.String(), "asked to end")
	l.nothingLeft()
}

func TestAnInterruptEndsABuild(t *testing.T) {
	l := modelRepo(t, "model: iris\nbuild:\n  context: .\n  run: echo compiling; sleep 1000 & wait\n")
	up := l.foreground("up", "--runtime", "docker", "--port", "0")
	await(t, "build.run runs", func() bool { return strings.Contains(up.String(), "| compiling") })
	check(t, up.Process.Signal(os.Interrupt))
	if err := up.Wait(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, up)
	}
	l.nothingLeft()
}

func TestABuildThatFailsIsTold(t *testing.T) {
	l := modelRepo(t, "model: iris\n", "Dockerfile", "FROM scratch\nCOPY missing /\n")
	out, code := l.run("up", "-d", "--runtime", "docker", "--port", "0")
	if code != exitFailed {
		t.Errorf("the exit code is %d", code)
	}
	contains(t, out, "iris-1  FAILED: its image cannot be built", "missing")
	l.nothingLeft()
}

func TestASecondInterruptDoesNotWaitForAContainer(t *testing.T) {
	l, image := prebuilt(t)
	up := l.foreground("up", "--runtime", "docker", "--port", "0", "--image", image, "--model", "iris", "--args", "-stubborn", "--grace", "1h")
	await(t, "the model is ready", func() bool { return strings.Contains(up.String(), "ready in") })
	check(t, up.Process.Signal(os.Interrupt))
	await(t, "the model is asked to end", func() bool { return strings.Contains(up.String(), "asked to end") })
	check(t, up.Process.Signal(os.Interrupt))
	if err := up.Wait(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, up)
	}
	l.nothingLeft()
}

// foreground is a program in the foreground and what it wrote so far.
type foreground struct {
	*exec.Cmd
	mu  sync.Mutex
	out bytes.Buffer
}

func (l *lab) foreground(args ...string) *foreground {
	l.t.Helper()
	f := &foreground{Cmd: l.command(args...)}
	f.Stdout, f.Stderr = f, f
	check(l.t, f.Start())
	l.t.Cleanup(func() { _ = f.Process.Kill() })
	return f
}

func (f *foreground) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.out.Write(p)
}

func (f *foreground) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.out.String()
}
