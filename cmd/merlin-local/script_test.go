//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/emulator/process"
)

// patience is for what will come; no test depends on how long it takes.
const patience = time.Minute

// TestScript runs what users type, in testdata/script, as host processes: no Engine
// is needed or asked.
func TestScript(t *testing.T) {
	model, err := fakemodel()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fakedebugger(); err != nil { // beside it
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup:         func(e *testscript.Env) error { return setUp(t, e, filepath.Dir(model)) },
		Cmds:          scriptCommands,
	})
}

// setUp gives a script a home of its own and takes it away with all that runs there.
func setUp(t *testing.T, e *testscript.Env, programs string) error {
	home, err := os.MkdirTemp("", "ml") // short: a socket's path ends at 104 bytes
	if err != nil {
		return err
	}
	aside := t.TempDir() // not in the repo, which is watched
	races, pids := filepath.Join(aside, ".race"), filepath.Join(aside, ".pids")
	e.Defer(func() {
		if err := errors.Join(endAll(control.Home(home)), os.RemoveAll(home)); err != nil {
			t.Error(err)
		}
		for _, text := range signed(pids) {
			if pid, err := strconv.Atoi(text); err == nil && running(pid) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		found, _ := filepath.Glob(races + ".*")
		for _, path := range found {
			report, _ := os.ReadFile(path)
			t.Errorf("a race in a program that a script started:\n%s", report)
		}
	})
	for name, value := range map[string]string{
		"MERLIN_LOCAL_HOME": home,
		"DOCKER_HOST":       "unix://" + filepath.Join(e.WorkDir, "no-engine.sock"),
		"DOCKER_CONFIG":     filepath.Join(e.WorkDir, ".docker"),
		"FAKEMODEL_PIDS":    pids,
		"GORACE":            "atexit_sleep_ms=0 log_path=" + races,
		"PATH":              programs + string(os.PathListSeparator) + e.Getenv("PATH"),
	} {
		e.Setenv(name, value)
	}
	return nil
}

// endAll ends every session of a home without asking, as after a test that failed.
func endAll(home control.Home) error {
	sessions, err := home.Sessions()
	for _, s := range sessions {
		if pid := s.Owner().PID; pid > 0 && s.Alive() {
			err = errors.Join(err, syscall.Kill(pid, syscall.SIGKILL))
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		lock, waitErr := s.Wait(ctx)
		cancel()
		err = errors.Join(err, waitErr, process.New(s.Processes()).Sweep(context.Background()))
		if lock != nil {
			err = errors.Join(err, lock.Release())
		}
	}
	return err
}

// built is where the programs are that the tests build, until the last test is over.
var built = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "merlin-local-test-")
	if err != nil {
		panic(err)
	}
	return dir
})

// fakemodel is the program of testdata/fakemodel, static, built once.
var fakemodel = sync.OnceValues(func() (string, error) {
	return build("fakemodel", "./testdata/fakemodel")
})

// fakedebugger is the program of testdata/fakedebugger, static, built once.
var fakedebugger = sync.OnceValues(func() (string, error) {
	return build("fakedebugger", "./testdata/fakedebugger")
})

func build(name, source string) (string, error) {
	path := filepath.Join(built(), name)
	c := exec.Command("go", "build", "-ldflags=-s -w", "-o", path, source)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", name, err, output)
	}
	return path, nil
}
