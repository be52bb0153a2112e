package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"
)

// Options say what is watched.
type Options struct {
	// Root is the folder. It may be missing for a while, but not at the start.
	Root string
	// Dockerfile makes the root a build context: what its ignore file leaves out of the
	// build is not of interest. Where it lies outside of the root, it and an ignore file
	// beside it are watched there. Empty for a folder that is none, or whose ignored
	// files matter too, as those that a host command reads to make others.
	Dockerfile string
	// Ignore are patterns as in an ignore file. They come after those of the build
	// context, so that a negated one takes files back in.
	Ignore []string
	// Cache is a folder to remember the files' sums in, for a quick start and for the
	// changes made while nothing ran; empty for none. Several watchers may share it.
	Cache string
	// Own tells a file that the caller itself writes all the time: the folder is watched as
	// if it were not there, and it is never read. It may be nil.
	Own func(fs.FileInfo) bool
	// Busy tells a file, by its path as in Change, that is written so often that it is not
	// worth reading: its stat decides. It is asked from Run's goroutine, and may be nil.
	Busy func(path string) bool
	// Poll never uses notifications.
	Poll bool
	// Notice hears of the watching itself, from Run's goroutine; it may be nil.
	Notice func(Notice)
}

// Watcher watches one folder, for one Run.
type Watcher struct {
	options Options
	clock   clock
	open    func() (feed, error)
	whyPoll func(folder string) string

	// heeded and settled are for tests: a path is pending; a look is over, with or
	// without a set.
	heeded  func(path string)
	settled func()
}

const (
	quiet = 100 * time.Millisecond // without changes, for a set to be settled
	most  = time.Second            // that a change waits for others to settle

	checkEvery   = 2 * time.Second // for what nothing notifies of
	glanceEvery  = 5               // checks
	missingEvery = 500 * time.Millisecond
	saveAfter    = 5 * time.Second
)

// New checks the options; it starts nothing.
func New(o Options) (*Watcher, error) {
	var err error
	if o.Root, err = filepath.Abs(o.Root); err != nil {
		return nil, err
	}
	for _, path := range []*string{&o.Dockerfile, &o.Cache} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return nil, err
		}
	}
	o.Dockerfile = underRoot(o.Root, o.Dockerfile)
	if _, err := newMatcher(o.Ignore); err != nil {
		return nil, fmt.Errorf("patterns of what is not watched: %w", err)
	}
	if o.Notice == nil {
		o.Notice = func(Notice) {}
	}
	if o.Own == nil {
		o.Own = func(fs.FileInfo) bool { return false }
	}
	if o.Busy == nil {
		o.Busy = func(string) bool { return false }
	}
	nothing := func() {}
	return &Watcher{
		options: o, clock: wall{}, open: openFeed, whyPoll: whyPoll,
		heeded: func(string) {}, settled: nothing,
	}, nil
}

// Run watches until ctx ends, and returns nil then. It reports the state that it starts
// from as the first set, and every settled change after that.
func (w *Watcher) Run(ctx context.Context, report func(Set)) error {
	t := newTree(w.options, w.clock.Now, w.options.Notice)
	t.stopped = func() bool { return ctx.Err() != nil }
	if _, _, err := t.resolveRoot(); err != nil {
		return fmt.Errorf("watch %s: %w", w.options.Root, err)
	}
	r := &run{Watcher: w, tree: t, report: report, settle: settle{quiet: quiet, most: most}}
	r.listen()
	err := r.start(ctx)
	for err == nil {
		err = r.turn(ctx)
	}
	if r.notifier != nil {
		if closing := r.notifier.close(); err == ctx.Err() {
			err = errors.Join(err, closing)
		}
	}
	if errors.Is(err, ctx.Err()) {
		r.keep()
		return nil
	}
	return err
}

// underRoot is a Dockerfile's path through the root, where links hide that it is there.
func underRoot(root, dockerfile string) string {
	if dockerfile == "" || within(root, dockerfile) != "" {
		return dockerfile
	}
	real, err := filepath.EvalSymlinks(root)
	if err != nil {
		return dockerfile
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(dockerfile))
	if err != nil {
		return dockerfile
	}
	if inside := within(real, filepath.Join(dir, filepath.Base(dockerfile))); inside != "" {
		return filepath.Join(root, filepath.FromSlash(inside))
	}
	return dockerfile
}
