//go:build unix

package process_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/process"
)

func TestMain(m *testing.M) {
	if os.Getenv(listenForever) != "" {
		listen()
		return
	}
	goleak.VerifyTestMain(m)
}

// grace is far longer than anything here takes: a test that needs it fails.
const grace = time.Minute

func start(t *testing.T, r *process.Runtime, command string, env ...string) emulator.Container {
	t.Helper()
	model := &emulator.Model{Exec: command, Dir: t.TempDir()}
	c, err := r.Start(t.Context(), emulator.ContainerSpec{Model: model, Env: env, Port: 12345})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Remove(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c
}

func runtime(t *testing.T) (*process.Runtime, string) {
	record := filepath.Join(t.TempDir(), "groups.json")
	return process.New(record), record
}

func output(t *testing.T, c emulator.Container) string {
	t.Helper()
	var out, errs bytes.Buffer
	if err := c.Logs(t.Context(), &out, &errs); err != nil {
		t.Fatal(err)
	}
	return out.String() + errs.String()
}

// gone waits until no process with that id runs. One that nobody reaps, as under an
// init that does not, has ended all the same.
func gone(t *testing.T, pid int) {
	t.Helper()
	for syscall.Kill(pid, 0) == nil {
		state, _ := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
		if strings.HasPrefix(string(state), "Z") {
			return
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatalf("process %d is still there", pid)
		}
	}
}

func TestTheModelSeesItsVariablesInItsFolder(t *testing.T) {
	r, _ := runtime(t)
	c := start(t, r, `echo "$CARAML_MODEL_NAME in $(pwd -P)"; echo on stderr >&2`, "CARAML_MODEL_NAME=first", "CARAML_MODEL_NAME=last")
	if out := output(t, c); !strings.Contains(out, "last in /") || !strings.Contains(out, "on stderr") {
		t.Errorf("it wrote %q", out)
	}
	if exit := <-c.Exited(); exit.Code != 0 {
		t.Errorf("exit is %+v", exit)
	}
}

func TestExitCodesAreThoseOfAShell(t *testing.T) {
	for command, want := range map[string]int{
		"exit 3": 3, "kill -KILL $$": 137, "kill -TERM $$": 143, "no-such-command-here": 127,
	} {
		r, _ := runtime(t)
		c := start(t, r, command)
		go func() { _ = c.Logs(context.Background(), io.Discard, io.Discard) }()
		if exit := <-c.Exited(); exit.Code != want {
			t.Errorf("%s: exit is %+v, want %d", command, exit, want)
		}
	}
}

func TestPortsDifferAndTheArtifactIsTheFolder(t *testing.T) {
	r, _ := runtime(t)
	place, err := r.Place(t.Context(), emulator.PlaceSpec{Artifact: "/some/folder"})
	if err != nil {
		t.Fatal(err)
	}
	if place.HTTPPort == place.GRPCPort || place.HTTPPort == 0 || place.ArtifactLocation != "/some/folder" {
		t.Errorf("place is %+v", place)
	}
}

// firstLine reads what the command says first, and leaves the rest to be copied.
func firstLine(t *testing.T, c emulator.Container) string {
	t.Helper()
	read, write := io.Pipe()
	copied := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(copied)
		_ = c.Logs(ctx, write, io.Discard)
		_ = write.Close()
	}()
	t.Cleanup(func() { cancel(); _ = read.Close(); <-copied })
	buffer := make([]byte, 64)
	n, err := read.Read(buffer)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, read) }()
	return strings.TrimSpace(string(buffer[:n]))
}

func TestStopEndsTheWholeGroupGracefully(t *testing.T) {
	r, record := runtime(t)
	marker := filepath.Join(t.TempDir(), "ended")
	c := start(t, r, `trap 'echo graceful > `+marker+`; exit 0' TERM; sh -c 'echo $$; exec sleep 1000' & wait`)
	child, err := strconv.Atoi(firstLine(t, c))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Stop(t.Context(), grace); err != nil {
		t.Fatal(err)
	}
	if exit := <-c.Exited(); exit.Code != 0 {
		t.Errorf("exit is %+v", exit)
	}
	if text, _ := os.ReadFile(marker); string(text) != "graceful\n" {
		t.Errorf("it was not asked to end")
	}
	gone(t, child)
	if _, err := os.Stat(record); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the record is still there: %v", err)
	}
}

func TestStopKillsWhatIgnoresIt(t *testing.T) {
	r, _ := runtime(t)
	c := start(t, r, `trap '' TERM; echo ready; while :; do sleep 1; done`)
	firstLine(t, c)
	if err := c.Stop(t.Context(), time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if exit := <-c.Exited(); exit.Code != 137 {
		t.Errorf("exit is %+v", exit)
	}
}

func TestSweepEndsWhatAKilledSessionLeft(t *testing.T) {
	dead, record := runtime(t)
	c := start(t, dead, "echo $$; exec sleep 1000")
	pid, err := strconv.Atoi(firstLine(t, c))
	if err != nil {
		t.Fatal(err)
	}
	if err := process.New(record).Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if exit := <-c.Exited(); exit.Code != 137 {
		t.Errorf("exit is %+v", exit)
	}
	gone(t, pid)
}

func TestSweepSparesAProcessThatGotTheSameID(t *testing.T) {
	other := exec.Command("sleep", "1000")
	other.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Process.Kill(); _ = other.Wait() }()
	record := filepath.Join(t.TempDir(), "groups.json")
	text := `[{"pid":` + strconv.Itoa(other.Process.Pid) + `,"started":"1"}]`
	if err := os.WriteFile(record, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := process.New(record).Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(other.Process.Pid, 0); err != nil {
		t.Errorf("the other process is gone: %v", err)
	}
}

func TestAHalfWrittenRecordIsNotTrusted(t *testing.T) {
	record := filepath.Join(t.TempDir(), "groups.json")
	if err := os.WriteFile(record, []byte(`[{"pid":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := process.New(record).Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestAShellCommandRunsWhereItIsToldTo(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if err := (process.Shell{}).Run(t.Context(), dir, "pwd; echo no >&2; exit 4", &out, &errs); err == nil || err.Error() != "exit code 4" {
		t.Errorf("error is %v", err)
	}
	if out.String() != dir+"\n" || errs.String() != "no\n" {
		t.Errorf("it wrote %q and %q", out.String(), errs.String())
	}
}

func TestAShellCommandEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	done := make(chan error)
	go func() {
		done <- process.Shell{}.Run(ctx, t.TempDir(), "sh -c 'echo $$; exec sleep 1000' & wait", write, io.Discard)
	}()
	buffer := make([]byte, 64)
	n, err := read.Read(buffer)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	child, _ := strconv.Atoi(strings.TrimSpace(string(buffer[:n])))
	gone(t, child)
}

func TestAModelWithoutExecSaysWhatToGive(t *testing.T) {
	r, _ := runtime(t)
	_, err := r.Start(t.Context(), emulator.ContainerSpec{Model: &emulator.Model{}})
	if err == nil || !strings.Contains(err.Error(), "exec:") {
		t.Errorf("error is %v", err)
	}
}
