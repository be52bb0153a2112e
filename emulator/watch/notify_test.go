package watch

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
)

// places is a double of fsnotify: it takes what it is told to, and tells what a test
// has it tell.
type places struct {
	added  map[string]bool
	limit  int
	refuse error
	events chan fsnotify.Event
	errors chan error
}

func newPlaces(limit int, refuse error) *places {
	return &places{map[string]bool{}, limit, refuse, make(chan fsnotify.Event), make(chan error)}
}

func (p *places) Add(real string) error {
	if !p.added[real] && len(p.added) >= p.limit {
		return p.refuse
	}
	p.added[real] = true
	return nil
}

func (p *places) Remove(real string) error {
	if !p.added[real] {
		return fsnotify.ErrNonExistentWatch
	}
	delete(p.added, real)
	return nil
}

func (p *places) Close() error {
	close(p.events)
	return nil
}

func (p *places) open() (feed, error) { return feed{p, p.events, p.errors}, nil }

// onDouble runs a test in a bubble, on what open gives.
func onDouble(t *testing.T, open func() (feed, error), test func(l *lab)) {
	t.Helper()
	began := time.Now()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, given, false)
		l.watcher.whyPoll = func(string) string { return "" }
		l.watcher.open = open
		l.polled(began)
		test(l)
		l.stop()
	})
}

func TestALimitOfInotifyIsSaidWithItsRemedyAndPollingFollows(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want []string
	}{
		"watches":   {syscall.ENOSPC, []string{"fs.inotify.max_user_watches", "sudo sysctl -w fs.inotify.max_user_watches=524288", "/etc/sysctl.d/"}},
		"instances": {syscall.EMFILE, []string{"fs.inotify.max_user_instances", "sudo sysctl -w fs.inotify.max_user_instances=1024"}},
	} {
		t.Run(name, func(t *testing.T) {
			open := func() (feed, error) { return feed{}, fmt.Errorf("couldn't initialize inotify: %w", c.err) }
			if c.err == syscall.ENOSPC {
				open = func() (feed, error) { return newPlaces(1, c.err).open() }
			}
			onDouble(t, open, func(l *lab) {
				l.first()
				told := l.noticesOf(Limit)
				if len(told) != 1 {
					l.t.Fatalf("told %v", l.notices)
				}
				for _, want := range c.want {
					if !strings.Contains(told[0].Text, want) {
						l.t.Errorf("no %q in: %s", want, told[0].Text)
					}
				}
				l.write("src/deep/b.py", "polled")
				l.expect("modified src/deep/b.py")
			})
		})
	}
}

// The limit is reached while watching: what changed before that is not lost either.
func TestALimitThatIsReachedLaterLosesNothing(t *testing.T) {
	var p *places
	open := func() (feed, error) {
		p = newPlaces(3, syscall.ENOSPC)
		return p.open()
	}
	onDouble(t, open, func(l *lab) {
		l.first()
		l.write("more/deep/x", "x")
		l.append("main.py", "not notified of in time")
		p.events <- fsnotify.Event{Name: l.at("more"), Op: fsnotify.Create}
		l.pass()
		if sets := l.taken(); len(sets) == 0 || sets[0].String() != "added more/deep/x" || len(sets) != 2 || sets[1].String() != "modified main.py" {
			l.t.Errorf("reported %v", sets)
		}
		l.append("more/deep/x", "more")
		l.expect("modified more/deep/x")
		if len(l.noticesOf(Limit)) != 1 {
			l.t.Errorf("told %v", l.notices)
		}
	})
}

func TestOtherTroubleOfNotificationsIsSaidToo(t *testing.T) {
	onDouble(t, func() (feed, error) { return feed{}, errors.New("out of order") }, func(l *lab) {
		if told := l.noticesOf(Polling); len(told) != 1 || !strings.Contains(told[0].Text, "out of order") {
			l.t.Errorf("told %v", l.notices)
		}
	})
}

// After an overflow there is no telling what changed: notifications begin anew, and
// all is read again.
func TestAnOverflowLosesNothing(t *testing.T) {
	var opened []*places
	open := func() (feed, error) {
		opened = append(opened, newPlaces(1000, nil))
		return opened[len(opened)-1].open()
	}
	onDouble(t, open, func(l *lab) {
		l.first()
		l.write("new/folder/x", "x")
		l.append("src/deep/b.py", "more")
		l.remove("main.py")
		opened[0].errors <- fsnotify.ErrEventOverflow
		l.expect("added new/folder/x", "modified src/deep/b.py", "removed main.py")
		if len(opened) != 2 || !opened[1].added[l.at("new/folder")] {
			l.t.Errorf("not watched anew: %v", opened)
		}
		if len(l.noticesOf(Overflow)) != 1 {
			l.t.Errorf("told %v", l.notices)
		}
	})
}

// What the kernel does not notify of, such as a write through mapped memory, is found
// by the checks in the end.
func TestWhatIsNeverNotifiedIsFoundInTheEnd(t *testing.T) {
	onDouble(t, func() (feed, error) { return newPlaces(1000, nil).open() }, func(l *lab) {
		l.first()
		l.append("src/a.py", "more")
		time.Sleep(checkEvery * glanceEvery)
		l.expect("modified src/a.py")
	})
}
