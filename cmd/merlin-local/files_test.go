//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
	"github.com/caraml-dev/merlin-local/emulator/watch"
)

func irisIn(dir string) *emulator.Model {
	return &emulator.Model{Dir: dir, Deployment: merlin.Deployment{Model: "iris", Version: "1"}}
}

func TestWhatIsWatchedIsWhatAModelIsMadeOf(t *testing.T) {
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("bin/\n"), 0o644))
	build := func(context string) *emulator.Build {
		return &emulator.Build{Context: context, Dockerfile: filepath.Join(context, "Dockerfile")}
	}
	for _, test := range []struct {
		name  string
		model func(m *emulator.Model)
		want  []string // root, what the root is for, and what is left out of it
	}{
		{"nothing", func(*emulator.Model) {}, nil},
		{"an image of a registry, with an artifact", func(m *emulator.Model) { m.ModelDir = dir + "/model" }, []string{"model ignored []"}},
		{"a build", func(m *emulator.Model) { m.Build = build(dir) }, []string{". context [up.log]"}},
		{"a build of a folder", func(m *emulator.Model) { m.Build, m.ModelDir = build(dir+"/src"), dir+"/model" }, []string{"src context []", "model ignored []"}},
		{
			"a build after a command", func(m *emulator.Model) { m.Build, m.ModelDir = build(dir), dir+"/model"; m.Build.Run = "make" },
			[]string{". whole [**/bin merlin-local.yaml .env request.json model up.log]", "model ignored []"},
		},
		{
			"a build outside of the repo after a command", func(m *emulator.Model) { m.Build = build(filepath.Dir(dir) + "/other"); m.Build.Run = "make" },
			[]string{". whole [**/bin merlin-local.yaml .env request.json up.log]", "../other context []"},
		},
		{"a host process", func(m *emulator.Model) { m.OnHost = true }, []string{". whole [**/bin merlin-local.yaml .env request.json up.log]"}},
		{
			"an artifact elsewhere", func(m *emulator.Model) { m.OnHost, m.ModelDir = true, filepath.Dir(dir)+"/models/iris" },
			[]string{". whole [**/bin merlin-local.yaml .env request.json up.log]", "../models/iris ignored []"},
		},
		{
			"what the user syncs", func(m *emulator.Model) {
				m.Build, m.Watch.Sync, m.Watch.Ignore = build(dir), []emulator.Copy{{From: "src", To: "/app"}}, []string{"*.ipynb"}
			},
			[]string{". whole [**/bin merlin-local.yaml .env request.json up.log *.ipynb]"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := irisIn(dir)
			test.model(m)
			f := newFiles(event.NewStream(), "/cache", filepath.Join(dir, "up.log"), "", "/elsewhere/access.log")
			var got []string
			for _, w := range f.folders(m) {
				root, err := filepath.Rel(dir, w.Root)
				check(t, err)
				use := "whole"
				switch {
				case w.ignored:
					use = "ignored"
				case w.Dockerfile != "":
					use = "context"
				}
				if w.Cache != "/cache" {
					t.Errorf("%s is remembered in %q", root, w.Cache)
				}
				got = append(got, fmt.Sprintf("%s %s %v", root, use, w.Ignore))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("watched is\n%s, want\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

// watching runs the watcher of a model until the test ends.
func watching(t *testing.T, f *files, m *emulator.Model) <-chan emulator.Edits {
	t.Helper()
	edits, done := make(chan emulator.Edits), make(chan error)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		done <- f.Watch(ctx, m, func(e emulator.Edits) {
			select {
			case edits <- e:
			case <-ctx.Done():
			}
		})
	}()
	t.Cleanup(func() {
		cancel()
		check(t, <-done)
	})
	return edits
}

func pathsIn(dir string, edits []emulator.Edit) []string {
	var all []string
	for _, e := range edits {
		path, _ := filepath.Rel(dir, e.Path)
		if e.Removed {
			path += " removed"
		}
		if e.Ignored {
			path += " ignored"
		}
		all = append(all, path)
	}
	slices.Sort(all)
	return all
}

func TestEditsOfAllFoldersComeFromOneWatcher(t *testing.T) {
	dir, cache := t.TempDir(), t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	put := func(name, content string) {
		t.Helper()
		check(t, os.MkdirAll(filepath.Dir(at(name)), 0o755))
		check(t, os.WriteFile(at(name), []byte(content), 0o644))
	}
	put("src/Dockerfile", "FROM scratch")
	put("src/app.py", "1")
	put("src/.dockerignore", "*.md")
	put("model/a.bin", "1")
	m := irisIn(dir)
	m.Build = &emulator.Build{Context: at("src"), Dockerfile: at("src/Dockerfile")}
	m.ModelDir = at("model")
	expect := func(edits <-chan emulator.Edits, first bool, want ...string) string {
		t.Helper()
		e := <-edits
		if got := pathsIn(dir, e.Files); e.First != first || !slices.Equal(got, want) {
			t.Errorf("first %t, files %q, want %t, %q", e.First, got, first, want)
		}
		return e.Sources
	}
	t.Run("a run", func(t *testing.T) {
		edits := watching(t, newFiles(event.NewStream(), cache), m)
		before := expect(edits, true)
		put("src/app.py", "2")
		after := expect(edits, false, "src/app.py")
		put("src/README.md", "not in the build")
		put("model/a.bin", "2")
		last := expect(edits, false, "model/a.bin ignored")
		if before == after || after == last {
			t.Errorf("sources are %s, %s, %s", before, after, last)
		}
		check(t, os.Rename(at("model/a.bin"), at("model/b.bin")))
		expect(edits, false, "model/a.bin removed ignored", "model/b.bin ignored")
	})
	put("src/app.py", "3")
	put("model/c.bin", "new")
	t.Run("the next", func(t *testing.T) {
		expect(watching(t, newFiles(event.NewStream(), cache), m), true, "model/c.bin ignored", "src/app.py")
	})
}

func TestAModelOfNothingThatChangesIsKnownAtOnce(t *testing.T) {
	if e := <-watching(t, newFiles(event.NewStream(), ""), irisIn(t.TempDir())); !e.First {
		t.Errorf("first comes %+v", e)
	}
}

// What up writes to, as in "up > up.log", is no edit, and no part of the sources.
func TestAFileThatTheSessionWritesToIsNoEdit(t *testing.T) {
	dir := t.TempDir()
	out, err := os.Create(filepath.Join(dir, "up.log"))
	check(t, err)
	defer out.Close()
	m := irisIn(dir)
	m.OnHost = true
	f := newFiles(event.NewStream(), "")
	own, err := out.Stat()
	check(t, err)
	f.out = []os.FileInfo{own}
	edits := watching(t, f, m)
	first := <-edits
	_, err = out.WriteString("an event\n")
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, "app.py"), nil, 0o644))
	if e := <-edits; !slices.Equal(pathsIn(dir, e.Files), []string{"app.py"}) {
		t.Errorf("edits are %q", pathsIn(dir, e.Files))
	}
	check(t, os.Remove(filepath.Join(dir, "app.py")))
	if e := <-edits; e.Sources != first.Sources {
		t.Errorf("sources are %s, and were %s", e.Sources, first.Sources)
	}
}

func TestAFileThatEveryReloadWritesIsNamedAndLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream := event.NewStream()
		f := newFiles(stream, "")
		m := irisIn(t.TempDir())
		written := watch.Set{Changes: []watch.Change{{Path: "out.txt", Kind: watch.Modified}}}
		for turn := 1; turn <= loopTimes+1; turn++ {
			f.Publish(m.ID(), turn, event.Reloading{})
			rest := f.unlooped(m, watched{}, written)
			if counts := len(rest.Changes) == 1; counts != (turn < loopTimes) {
				t.Errorf("turn %d leaves %v", turn, rest.Changes)
			}
			f.Publish(m.ID(), turn, event.Serving{})
		}
		var told []string
		for _, e := range stream.History() {
			if n, ok := e.Fact.(event.Notice); ok {
				told = append(told, n.Text)
			}
		}
		if len(told) != 1 || !strings.HasPrefix(told[0], "iris-1: every reload changes out.txt: ") {
			t.Errorf("told is %q", told)
		}
		if busy := f.busy(m); !busy("out.txt") || busy("app.py") {
			t.Errorf("busy are out.txt %t, app.py %t", busy("out.txt"), busy("app.py"))
		}
		time.Sleep(loopGrace) // of the bubble: then a change is a person's
		if rest := f.unlooped(m, watched{}, written); len(rest.Changes) != 1 || f.busy(m)("out.txt") {
			t.Errorf("a person's edit leaves %v", rest.Changes)
		}
	})
}

// The emulator's events reach the stream.
func TestWhatTheEmulatorTellsIsTold(t *testing.T) {
	stream := event.NewStream()
	newFiles(stream, "").Publish("iris-1", 3, event.ReloadEnded{Cancelled: "why"})
	if h := stream.History(); len(h) != 1 || h[0].Model != "iris-1" || h[0].Revision != 3 {
		t.Errorf("told is %+v", h)
	}
}

func TestAFileThatAnotherProgramWritesIsNoEdit(t *testing.T) {
	dir := t.TempDir()
	f := newFiles(event.NewStream(), "")
	path := filepath.Join(dir, "a.jsonl")
	check(t, f.Writes(path))
	if err := f.Writes("a.jsonl"); err == nil {
		t.Error("a path without its folder was taken")
	}
	for name, own := range map[string]bool{"a.jsonl": true, "b.jsonl": false, "sub/a.jsonl": false} {
		file := filepath.Join(dir, name)
		check(t, os.MkdirAll(filepath.Dir(file), 0o755))
		check(t, os.WriteFile(file, nil, 0o600))
		info, err := os.Lstat(file)
		check(t, err)
		if f.isOutput(info) != own {
			t.Errorf("%s is taken for the program's own: %t", name, !own)
		}
	}
}
