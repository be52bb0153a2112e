package watch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// run is one Run: all of it happens on that one's goroutine.
type run struct {
	*Watcher
	tree     *tree
	report   func(Set)
	settle   settle
	notifier *notifier // nil while polling
	poller   poller

	// whole: everything is to be read again, not only the pending paths.
	whole bool
	beat  <-chan time.Time
	// checks are counted while notifications come.
	checks int
	// held is since when git has been at work; zero while it is not.
	held time.Time
	// save receives when what is known is to be kept; nil where it is.
	save <-chan time.Time
	// complete: the last look was not cut short.
	complete bool
}

// listen opens the notifications, or decides to poll.
func (r *run) listen() {
	root := r.options.Root
	why := r.whyPoll(root)
	switch {
	case r.options.Poll:
		return
	case why != "":
		r.tree.notice(Notice{Polling, "", why + ", so it is polled: changes take a moment longer to be seen"})
		return
	}
	r.reopen()
}

func (r *run) reopen() {
	n, err := newNotifier(r.open)
	if err != nil {
		r.tree.notice(trouble(err, 0))
		return
	}
	r.notifier, r.tree.spots = n, n
}

// deaf ends the notifications; polling takes over.
func (r *run) deaf() {
	_, folders := r.tree.size()
	r.tree.notice(trouble(r.notifier.trouble, folders))
	_ = r.notifier.close() // what it had to tell is found by polling
	r.notifier, r.tree.spots = nil, nil
}

// start reads the tree, and reports what changed since an earlier run.
func (r *run) start(ctx context.Context) error {
	t, known := r.tree, false
	t.adoptCurrent()
	if r.options.Cache != "" {
		var err error
		if known, err = t.load(); err != nil {
			t.notice(Notice{Cache, "", fmt.Sprintf("what an earlier run knew of the files is not used: %v; all are read", err)})
		}
	}
	t.hasty = true
	t.everything()
	t.hasty = false
	if r.notifier != nil && r.notifier.trouble != nil {
		r.deaf()
	}
	r.tell()
	fresh := !known || len(t.unread) > 0
	if err := t.settleReading(ctx); err != nil {
		return err
	}
	set := Set{First: true, Tree: t.sum()}
	if known {
		set.Changes = t.changes()
	}
	t.begin()
	r.complete = true
	if fresh {
		r.keepSoon()
	}
	r.beat = r.clock.After(r.pause(0))
	r.report(set)
	return ctx.Err()
}

// tell says how it is watched.
func (r *run) tell() {
	files, folders := r.tree.size()
	how := "by notifications"
	if r.notifier == nil {
		how = "by polling"
	}
	r.tree.notice(Notice{Started, "", fmt.Sprintf("watching %d files in %d folders %s", files, folders, how)})
}

// turn waits for one thing to happen.
func (r *run) turn(ctx context.Context) error {
	var settled <-chan time.Time
	if d, pending := r.settle.wait(r.clock.Now()); pending {
		settled = r.clock.After(d)
	}
	var heard <-chan struct{}
	if r.notifier != nil {
		heard = r.notifier.wake
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-heard:
		r.hear()
	case <-r.beat:
		r.check()
	case <-settled:
		return r.give(ctx)
	case <-r.save:
		r.keep()
	}
	return nil
}

// hear takes what was notified.
func (r *run) hear() {
	paths, lost := r.notifier.take()
	if lost {
		r.tree.notice(Notice{Overflow, "", "more changed at once than the system keeps notifications of, so all is read again"})
		r.whole = true
		paths = append(paths, ".")
	}
	r.note(paths)
}

// check looks for what is not notified: everything, where there are no notifications.
func (r *run) check() {
	began := r.clock.Now()
	switch {
	case r.notifier == nil:
		r.note(r.poller.glance(r.tree))
	default:
		r.note(r.tree.strayed())
		if r.tree.astray() {
			r.note([]string{"."})
		}
		// The kernel does not notify of what is written through mapped memory, nor of a
		// file system that is mounted or unmounted below: polling finds it in the end.
		if r.checks++; r.checks%glanceEvery == 0 {
			r.note(r.poller.glance(r.tree))
		}
	}
	r.beat = r.clock.After(r.pause(r.clock.Now().Sub(began)))
}

// pause is how long until the next check, after one that took so long.
func (r *run) pause(took time.Duration) time.Duration {
	_, pending := r.settle.wait(r.clock.Now())
	switch {
	case r.notifier == nil && pending:
		return max(quiet/2, took*4) // to see whether it is quiet
	case r.notifier == nil:
		return pause(took)
	case r.tree.missing:
		return missingEvery
	}
	return checkEvery
}

// note has paths wait until they settle. What rules leave out would keep others from
// settling.
func (r *run) note(paths []string) {
	now := r.clock.Now()
	for _, at := range paths {
		if !r.tree.concerns(at) {
			continue
		}
		r.settle.note(at, now)
		r.heeded(at)
	}
}

// concerns says whether a path can be of interest.
func (t *tree) concerns(at string) bool {
	f, name := t.find(at)
	if ruled, left := f.ignored[name]; left && !ruled { // what is there now may be a file
		if info, err := os.Lstat(filepath.Join(f.real, name)); err == nil && t.options.Own(info) {
			return false
		}
	}
	return at == "." || f == t.beside || f.files[name] != nil || f.folders[name] != nil || t.interesting(f, name)
}

// give reads again what is settled, and reports what changed.
func (r *run) give(ctx context.Context) error {
	now := r.clock.Now()
	if r.waitForGit(now) {
		return nil
	}
	paths := r.settle.due(now)
	if len(paths) == 0 {
		return nil
	}
	defer r.settled()
	if err := r.look(ctx, paths); err != nil {
		return err
	}
	changes := r.tree.changes()
	for at := range r.tree.again {
		r.settle.note(at, now)
	}
	r.tree.begin()
	r.poller.looked(r.tree, paths)
	if len(changes) > 0 {
		r.keepSoon()
		r.report(Set{Changes: changes, Tree: r.tree.sum()})
	}
	return nil
}

func (r *run) look(ctx context.Context, paths map[string]bool) error {
	r.complete = false
	listening := r.notifier != nil
	switch {
	case r.whole && r.notifier != nil:
		// With notifications lost, there is no telling which folder a place of the
		// kernel's is.
		_ = r.notifier.close()
		r.notifier, r.tree.spots = nil, nil
		r.reopen()
		r.tree.everything()
	case r.whole:
		r.tree.everything()
	default:
		r.tree.look(paths)
	}
	r.whole = false
	if r.notifier != nil && r.notifier.trouble != nil {
		r.deaf()
	}
	if listening && r.notifier == nil {
		r.beat = r.clock.After(r.pause(0))
	}
	err := r.tree.settleReading(ctx)
	r.complete = err == nil && ctx.Err() == nil
	return err
}

// waitForGit has a checkout be one set, however long it takes, within reason.
func (r *run) waitForGit(now time.Time) bool {
	if !gitBusy(r.tree.top.real, now) {
		r.held = time.Time{}
		return false
	}
	if r.held.IsZero() {
		r.held = now
	}
	if now.Sub(r.held) >= gitPatience {
		return false
	}
	r.settle.postpone(now)
	return true
}

func (r *run) keepSoon() {
	if r.options.Cache != "" && r.save == nil {
		r.save = r.clock.After(saveAfter)
	}
}

// keep writes the cache where it is not what is known.
func (r *run) keep() {
	if r.save == nil || !r.complete {
		return
	}
	r.save = nil
	if err := r.tree.save(); err != nil {
		var n Notice
		n.Kind, n.Text = Cache, fmt.Sprintf("what is known of the files is not kept for the next run: %v", err)
		r.tree.tell(n)
	}
}
