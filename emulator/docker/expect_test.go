package docker_test

import (
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
)

// quiet is a log that nobody reads.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// exited waits for a container's end.
func exited(t *testing.T, c emulator.Container) emulator.Exit {
	t.Helper()
	select {
	case exit := <-c.Exited():
		return exit
	case <-time.After(patience):
		t.Fatal("no exit was reported")
		return emulator.Exit{}
	}
}

// logged reads all that a container wrote, until it ended.
func logged(t *testing.T, c emulator.Container) (stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	check(t, c.Logs(t.Context(), &out, &errs))
	return out.String(), errs.String()
}

// shortDir is for sockets, whose path may not be long.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ml")
	check(t, err)
	t.Cleanup(func() { check(t, os.RemoveAll(dir)) })
	return dir
}

func write(t *testing.T, path, content string) {
	t.Helper()
	check(t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(t, os.WriteFile(path, []byte(content), 0o644))
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	end := time.After(patience)
	for !holds() {
		select {
		case <-again.C:
		case <-end:
			t.Fatalf("it never came that %s", what)
		}
	}
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}
