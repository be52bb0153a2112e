package watch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// feed is where notifications come from: fsnotify, or a test's double.
type feed struct {
	places interface {
		Add(real string) error
		Remove(real string) error
		Close() error
	}
	events <-chan fsnotify.Event
	errors <-chan error
}

func openFeed() (feed, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return feed{}, err
	}
	return feed{w, w.Events, w.Errors}, nil
}

// notifier turns notifications into paths to look at. Its reader empties the kernel's
// queue at once, whatever Run does; all else belongs to Run's goroutine.
type notifier struct {
	feed  feed
	spots map[string]*spot // by real path
	byID  map[fileID]string
	// trouble is the first error of a kind that asks for polling.
	trouble error
	// wake receives when there is something to take.
	wake chan struct{}
	done chan struct{}

	mu    sync.Mutex
	dirty map[string]bool // real paths
	lost  bool
}

// spot is one place that is watched, and its paths in the tree: more than one where
// several links lead to it.
type spot struct {
	id    fileID
	paths []string
}

// mostDirty is how many paths are kept before reading all anew is the cheaper way.
const mostDirty = 200_000

func newNotifier(open func() (feed, error)) (*notifier, error) {
	f, err := open()
	if err != nil {
		return nil, err
	}
	n := &notifier{
		feed: f, spots: map[string]*spot{}, byID: map[fileID]string{}, dirty: map[string]bool{},
		wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	go n.read()
	return n, nil
}

// close ends the reader and waits for it.
func (n *notifier) close() error {
	err := n.feed.places.Close()
	<-n.done
	return err
}

func (n *notifier) read() {
	defer close(n.done)
	for {
		select {
		case e, open := <-n.feed.events:
			if !open {
				return
			}
			n.heard(e.Name, false)
		case err, open := <-n.feed.errors:
			if !open {
				return
			}
			// Whatever went wrong, some notification may be missing.
			n.heard("", err != nil)
		}
	}
}

func (n *notifier) heard(real string, lost bool) {
	n.mu.Lock()
	if real != "" {
		n.dirty[real] = true
	}
	n.lost = n.lost || lost || len(n.dirty) > mostDirty
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// take is what was heard since the last time, as paths of the tree. After a loss
// there is no telling what else changed.
func (n *notifier) take() (paths []string, lost bool) {
	n.mu.Lock()
	dirty, lost := n.dirty, n.lost
	n.dirty, n.lost = map[string]bool{}, false
	n.mu.Unlock()
	for real := range dirty {
		paths = append(paths, n.pathsOf(real)...)
	}
	return paths, lost
}

func (n *notifier) pathsOf(real string) []string {
	var paths []string
	if s := n.spots[real]; s != nil {
		paths = append(paths, s.paths...)
	}
	if s := n.spots[filepath.Dir(real)]; s != nil {
		for _, at := range s.paths {
			paths = append(paths, (&folder{path: at}).child(filepath.Base(real)))
		}
	}
	return paths
}

// add has notifications of a place come with a path. The kernel knows a place by its
// inode, and fsnotify by the path of its first Add, so a place that was moved is let
// go of under its old name first.
func (n *notifier) add(real string, id fileID, path string) {
	if n.trouble != nil {
		return
	}
	if old, known := n.byID[id]; known && old != real && id != (fileID{}) {
		if is, err := os.Stat(old); err == nil && statOf(is).ID == id {
			real = old
		} else {
			n.forget(old)
		}
	}
	s := n.spots[real]
	if s != nil && s.id != id {
		paths := s.paths
		n.forget(real)
		s = &spot{id: id, paths: paths}
	}
	if s == nil {
		s = &spot{id: id}
	}
	if err := n.feed.places.Add(real); err != nil {
		if !missing(err) && !errors.Is(err, fs.ErrPermission) {
			n.trouble = err
		}
		return
	}
	if !slices.Contains(s.paths, path) {
		s.paths = append(s.paths, path)
	}
	n.spots[real], n.byID[id] = s, real
}

// remove ends the notifications of a place for one path.
func (n *notifier) remove(real, path string) {
	s := n.spots[real]
	if s == nil {
		return
	}
	s.paths = slices.DeleteFunc(s.paths, func(p string) bool { return p == path })
	if len(s.paths) == 0 {
		n.forget(real)
	}
}

// forget ends the notifications of a place. Where it is gone, they ended by themselves.
func (n *notifier) forget(real string) {
	if s := n.spots[real]; s != nil && n.byID[s.id] == real {
		delete(n.byID, s.id)
	}
	delete(n.spots, real)
	_ = n.feed.places.Remove(real)
}
