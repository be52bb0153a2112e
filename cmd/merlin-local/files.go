package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/watch"
)

// files watches what the models of a session are made of; it is an emulator.Watcher. It
// is an event.Publisher too, to know when a model is being made anew: what is written
// meanwhile, again and again, would make it anew for ever.
type files struct {
	*event.Stream
	cache string   // folder; empty for none
	own   []string // files that the session itself writes
	out   []os.FileInfo

	mu     sync.Mutex
	others []string               // files that other programs of ours write
	loops  map[string]*watch.Loop // by model
}

func newFiles(stream *event.Stream, cache string, own ...string) *files {
	return &files{Stream: stream, cache: cache, own: own, out: outputs(), loops: map[string]*watch.Loop{}}
}

// outputs are the files that this program itself writes to, as in "up > up.log": every
// event would be an edit.
func outputs() (all []os.FileInfo) {
	for _, f := range []*os.File{os.Stdout, os.Stderr} {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			all = append(all, info)
		}
	}
	return all
}

// Writes takes a file that another program is about to make and write: it is no edit.
func (f *files) Writes(path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("path %q: it is an absolute one", path)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Contains(f.others, path) {
		f.others = append(f.others, path)
	}
	return nil
}

func (f *files) isOutput(info os.FileInfo) bool {
	if slices.ContainsFunc(f.out, func(own os.FileInfo) bool { return os.SameFile(own, info) }) {
		return true
	}
	f.mu.Lock()
	others := slices.Clone(f.others)
	f.mu.Unlock()
	return slices.ContainsFunc(others, func(path string) bool {
		if filepath.Base(path) != info.Name() {
			return false
		}
		other, err := os.Lstat(path)
		return err == nil && os.SameFile(other, info)
	})
}

// Publish takes what the emulator tells.
func (f *files) Publish(model string, revision int, fact event.Fact) {
	switch fact.(type) {
	case event.Reloading:
		f.loop(model, func(l *watch.Loop) { l.BuildStarted() })
	case event.Serving, event.ReloadEnded:
		f.loop(model, func(l *watch.Loop) { l.BuildEnded(time.Now()) })
	}
	f.Stream.Publish(model, revision, fact)
}

// A person who saves one file again and again amid reloads must not look like a loop.
const (
	loopTimes = 5
	loopGrace = 300 * time.Millisecond // until what a reload wrote last is settled
)

func (f *files) loop(model string, do func(*watch.Loop)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.loops[model] == nil {
		f.loops[model] = &watch.Loop{Times: loopTimes, Grace: loopGrace}
	}
	do(f.loops[model])
}

// watched is a folder that is watched, and what its edits are to a model.
type watched struct {
	watch.Options
	ignored bool // by the image's build
}

// folders are those that a model is made of. Without a command of the user's before the
// build, the build context is all that counts, and its ignore file says what of it;
// with one, the whole repo may be read by it. The artifact is mounted, whatever the build
// sees of it.
func (f *files) folders(m *emulator.Model) []watched {
	var all []watched
	add := func(root string, ignored bool, dockerfile string, ignore ...string) {
		all = append(all, watched{watch.Options{Root: root, Dockerfile: dockerfile, Ignore: append(ignore, m.Watch.Ignore...), Cache: f.cache}, ignored})
	}
	whole := m.OnHost || m.Build != nil && m.Build.Run != "" || len(m.Watch.Sync) > 0
	if whole {
		add(m.Dir, false, "", slices.Concat(gitIgnored(m.Dir), ownFiles(m), f.within(m.Dir))...)
	}
	if m.Build != nil && (!whole || !within(m.Dir, m.Build.Context)) {
		add(m.Build.Context, false, m.Build.Dockerfile, f.within(m.Build.Context)...)
	}
	if m.ModelDir != "" {
		add(m.ModelDir, true, "")
	}
	return all
}

// ownFiles are patterns of what is watched for itself: the artifact, and what is no
// source of anything.
func ownFiles(m *emulator.Model) []string {
	patterns := []string{"merlin-local.yaml", ".env", "request.json"}
	if inside, err := filepath.Rel(m.Dir, m.ModelDir); m.ModelDir != "" && err == nil && filepath.IsLocal(inside) {
		patterns = append(patterns, filepath.ToSlash(inside))
	}
	return patterns
}

// within are the session's own files in a folder.
func (f *files) within(folder string) []string {
	var patterns []string
	for _, path := range f.own {
		if inside, err := filepath.Rel(folder, path); path != "" && err == nil && filepath.IsLocal(inside) {
			patterns = append(patterns, filepath.ToSlash(inside))
		}
	}
	return patterns
}

func within(outer, inner string) bool {
	inside, err := filepath.Rel(outer, inner)
	return err == nil && filepath.IsLocal(inside)
}

// Watch reports a model's edits until ctx ends: one first set for all its folders, then
// every set as it comes.
func (f *files) Watch(ctx context.Context, m *emulator.Model, report func(emulator.Edits)) error {
	folders := f.folders(m)
	t := &together{report: report, trees: make([]string, len(folders)), first: make([]bool, len(folders))}
	if len(folders) == 0 {
		t.report(emulator.Edits{First: true})
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	for i, one := range folders {
		one.Notice, one.Own, one.Busy = f.notice(m), f.isOutput, f.busy(m)
		watcher, err := watch.New(one.Options)
		if err != nil {
			return err
		}
		group.Go(func() error {
			return watcher.Run(ctx, func(s watch.Set) { t.heed(i, f.unlooped(m, one, s), one) })
		})
	}
	return group.Wait()
}

// busy tells the files that every reload writes.
func (f *files) busy(m *emulator.Model) func(path string) bool {
	return func(path string) (is bool) {
		f.loop(m.ID(), func(l *watch.Loop) { is = l.Loops(path) })
		return is
	}
}

// unlooped leaves out of a set what every reload itself writes.
func (f *files) unlooped(m *emulator.Model, one watched, s watch.Set) watch.Set {
	if s.First {
		return s
	}
	f.loop(m.ID(), func(l *watch.Loop) {
		rest, looping, found := l.Heed(s, time.Now())
		if s = rest; found {
			f.Stream.Publish(m.ID(), 0, event.Notice{
				Level: event.NoticeWarning,
				Text: m.ID() + ": every reload changes " + strings.Join(looping, ", ") +
					": that makes no new revision any more; name it in watch.ignore, or have build.run or the model write elsewhere",
			})
		}
	})
	return s
}

// notice tells of the watching what a person may have to do something about.
func (f *files) notice(m *emulator.Model) func(watch.Notice) {
	return func(n watch.Notice) {
		level := event.NoticeWarning
		switch n.Kind {
		case watch.Started, watch.Cache, watch.Overflow, watch.RootBack:
			return
		case watch.Polling, watch.Link:
			level = event.NoticeInfo
		}
		f.Stream.Publish(m.ID(), 0, event.Notice{Level: level, Text: n.Text})
	}
}

// together joins the sets of several folders.
type together struct {
	report func(emulator.Edits)

	mu    sync.Mutex
	trees []string
	first []bool          // that have begun
	since []emulator.Edit // those since the last run, until all have begun
}

func (t *together) heed(i int, s watch.Set, from watched) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trees[i] = s.Tree
	var edits []emulator.Edit
	for _, c := range s.Changes {
		edits = append(edits, editsOf(from, c)...)
	}
	switch {
	case s.First:
		t.first[i] = true
		t.since = append(t.since, edits...)
		if !slices.Contains(t.first, false) {
			t.report(emulator.Edits{First: true, Files: t.since, Sources: t.sources()})
		}
	case len(edits) > 0:
		t.report(emulator.Edits{Files: edits, Sources: t.sources()})
	}
}

// sources identifies all folders together, briefly.
func (t *together) sources() string {
	sum := sha256.Sum256([]byte(strings.Join(t.trees, "\n")))
	return hex.EncodeToString(sum[:6])
}

func editsOf(from watched, c watch.Change) []emulator.Edit {
	at := func(path string) string { return filepath.Join(from.Root, filepath.FromSlash(path)) }
	edits := []emulator.Edit{{Path: at(c.Path), Removed: c.Kind == watch.Removed, Ignored: from.ignored}}
	if c.Kind == watch.Renamed {
		edits = append(edits, emulator.Edit{Path: at(c.From), Removed: true, Ignored: from.ignored})
	}
	return edits
}
