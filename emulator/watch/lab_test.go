package watch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lab runs a watcher on a real folder, and lets a test do something and see what is
// reported of it: by notifications with a clock that the test moves, or by polling in
// a synctest bubble. Neither waits for time to pass.
type lab struct {
	t       *testing.T
	root    string
	outside string // a folder beside the root
	watcher *Watcher

	mu      sync.Mutex
	sets    []Set
	notices []Notice

	// pass has everything that is under way come to its end.
	pass func()
	stop func()
}

// onBoth runs a test once a way of watching. prepare may change the watcher before it
// runs, and fill the folder.
func onBoth(t *testing.T, prepare func(l *lab, o *Options), test func(l *lab)) {
	t.Helper()
	t.Run("notifications", func(t *testing.T) {
		needsNotifications(t)
		l := newLab(t, prepare, false)
		l.notified()
		test(l)
		l.stop()
	})
	t.Run("polling", func(t *testing.T) { onPolling(t, prepare, test) })
}

func onPolling(t *testing.T, prepare func(l *lab, o *Options), test func(l *lab)) {
	t.Helper()
	began := time.Now()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, prepare, true)
		l.polled(began)
		test(l)
		l.stop()
	})
}

func needsNotifications(t *testing.T) {
	t.Helper()
	if why := whyPoll(t.TempDir()); why != "" {
		t.Skip("NOT TESTED: notifications, because " + why)
	}
}

func newLab(t *testing.T, prepare func(l *lab, o *Options), poll bool) *lab {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, root: filepath.Join(dir, "root"), outside: filepath.Join(dir, "outside")}
	l.mkdir("")
	l.mkdir("../outside")
	o := Options{Root: l.root, Poll: poll, Notice: l.noticed}
	if prepare != nil {
		prepare(l, &o)
	}
	if l.watcher, err = New(o); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *lab) noticed(n Notice) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notices = append(l.notices, n)
}

func (l *lab) reported(s Set) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sets = append(l.sets, s)
}

// taken are the sets since the last time.
func (l *lab) taken() []Set {
	l.mu.Lock()
	defer l.mu.Unlock()
	sets := l.sets
	l.sets = nil
	return sets
}

func (l *lab) noticesOf(topic Topic) []Notice {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.notices), func(n Notice) bool { return n.Kind != topic })
}

// start runs the watcher, and returns once it reported its first set.
func (l *lab) start() {
	ctx, cancel := context.WithCancel(l.t.Context())
	started, ended := make(chan struct{}), make(chan error, 1)
	first := true
	go func() {
		ended <- l.watcher.Run(ctx, func(s Set) {
			l.reported(s)
			if first {
				first = false
				close(started)
			}
		})
	}()
	l.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			l.t.Error(err)
		}
	}
	select {
	case <-started:
	case err := <-ended:
		ended <- nil
		l.t.Fatalf("ended early: %v", err)
	}
}

// notified has the watcher listen. The kernel tells in order, so once a folder that
// is made last was heard of, so was everything before it.
func (l *lab) notified() {
	clock := &manual{now: time.Now()}
	heeded, settled := make(chan string, 1<<16), make(chan struct{}, 1<<10)
	l.watcher.clock = clock
	l.watcher.heeded = func(path string) { heeded <- path }
	l.watcher.settled = func() { settled <- struct{}{} }
	l.start()
	marks := 0
	l.pass = func() {
		for range 2 { // names of doubt get a second look
			mark := fmt.Sprintf("mark-%d", marks)
			marks++
			l.mkdir(mark)
			for <-heeded != mark {
			}
			clock.until(settled)
		}
	}
}

// until moves the clock until something is received. What is noted meanwhile
// is waited for as well.
func (m *manual) until(settled <-chan struct{}) {
	for {
		select {
		case <-settled:
			return
		default:
			m.advance(quiet)
			runtime.Gosched()
		}
	}
}

// polled has the watcher poll. The bubble's clock starts long ago, so files would seem
// to be from the future: it is moved to where it was when the test began.
func (l *lab) polled(began time.Time) {
	l.watcher.clock = shifted{time.Until(began)}
	l.start()
	l.pass = func() {
		time.Sleep(l.ahead() + slack + 5*time.Second) // a round of all files, and a second look
		synctest.Wait()
	}
}

// ahead is how far the file system's clock, which is no bubble's, is ahead.
func (l *lab) ahead() time.Duration {
	file := l.outside + "-clock"
	l.must(os.WriteFile(file, nil, 0o644))
	info, err := os.Stat(file)
	l.must(err)
	return max(0, info.ModTime().Sub(l.watcher.clock.Now()))
}

type shifted struct{ by time.Duration }

func (s shifted) Now() time.Time                         { return time.Now().Add(s.by) }
func (s shifted) After(d time.Duration) <-chan time.Time { return time.After(d) }

// manual is a clock that only a test moves.
type manual struct {
	mu     sync.Mutex
	now    time.Time
	alarms []alarm
	// checks has the alarms of checks ring too. They would find what notifications
	// were to tell.
	checks bool
	later  []alarm
}

type alarm struct {
	at   time.Time
	ring chan time.Time
}

func (m *manual) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *manual) After(d time.Duration) <-chan time.Time {
	m.mu.Lock()
	a := alarm{m.now.Add(d), make(chan time.Time, 1)}
	if m.checks || d < missingEvery {
		m.alarms = append(m.alarms, a)
	} else {
		m.later = append(m.later, a)
	}
	m.mu.Unlock()
	m.advance(0)
	return a.ring
}

func (m *manual) ringChecks() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.checks, m.alarms, m.later = true, append(m.alarms, m.later...), nil
}

func (m *manual) advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
	m.alarms = slices.DeleteFunc(m.alarms, func(a alarm) bool {
		if a.at.After(m.now) {
			return false
		}
		a.ring <- m.now
		return true
	})
}

// expect checks that exactly these changes were reported since the last time, in one
// set; and that its sum is that of a tree that is read from nothing.
func (l *lab) expect(want ...string) {
	l.t.Helper()
	l.pass()
	var got []string
	sets := l.taken()
	for _, s := range sets {
		for _, c := range s.Changes {
			got = append(got, c.String())
		}
	}
	if len(sets) > 1 {
		l.t.Errorf("%d sets instead of one: %v", len(sets), sets)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		l.t.Errorf("reported %q, want %q", got, want)
	}
	for _, s := range sets {
		if sum := l.freshSum(); s.Tree != sum {
			l.t.Errorf("the tree's sum is %s, that of a new reading %s", s.Tree, sum)
		}
	}
}

// freshSum reads the folder as one who knows nothing of it.
func (l *lab) freshSum() string {
	l.t.Helper()
	t := newTree(l.watcher.options, time.Now, func(Notice) {})
	t.hasty = true
	t.adoptCurrent()
	t.everything()
	if err := t.settleReading(context.Background()); err != nil {
		l.t.Fatal(err)
	}
	return t.sum()
}

// first is the set that the watcher began with.
func (l *lab) first() Set {
	l.t.Helper()
	sets := l.taken()
	if len(sets) != 1 || !sets[0].First {
		l.t.Fatalf("began with %v", sets)
	}
	return sets[0]
}

// What a test does to files; paths are relative to the root.

func (l *lab) at(path string) string { return filepath.Join(l.root, filepath.FromSlash(path)) }

func (l *lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) mkdir(path string) { l.t.Helper(); l.must(os.MkdirAll(l.at(path), 0o755)) }

// write makes the folder too.
func (l *lab) write(path, content string) {
	l.t.Helper()
	l.must(os.MkdirAll(filepath.Dir(l.at(path)), 0o755))
	l.must(os.WriteFile(l.at(path), []byte(content), 0o644))
}

func (l *lab) rename(from, to string) { l.t.Helper(); l.must(os.Rename(l.at(from), l.at(to))) }
func (l *lab) remove(path string)     { l.t.Helper(); l.must(os.Remove(l.at(path))) }
func (l *lab) removeAll(path string)  { l.t.Helper(); l.must(os.RemoveAll(l.at(path))) }
func (l *lab) symlink(target, path string) {
	l.t.Helper()
	l.must(os.Symlink(target, l.at(path)))
}

func (l *lab) append(path, more string) {
	l.t.Helper()
	f, err := os.OpenFile(l.at(path), os.O_APPEND|os.O_WRONLY, 0)
	l.must(err)
	_, err = f.WriteString(more)
	l.must(err)
	l.must(f.Close())
}
