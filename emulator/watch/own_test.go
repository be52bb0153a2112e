package watch

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// ownFile makes one file of the folder the caller's own, as long as it is that very file.
func ownFile(l *lab, o *Options, name string) {
	l.write(name, "{}\n")
	open, err := os.Open(l.at(name)) // else its inode may be another's later
	l.must(err)
	l.t.Cleanup(func() { _ = open.Close() })
	own, err := open.Stat()
	l.must(err)
	o.Own = func(info fs.FileInfo) bool { return os.SameFile(own, info) }
}

func TestAFileOfTheCallersOwnIsNotThere(t *testing.T) {
	prepare := func(l *lab, o *Options) {
		ownFile(l, o, "up.json")
		l.write("app.py", "1")
	}
	onBoth(t, prepare, func(l *lab) {
		l.first()
		l.append("up.json", "{}\n")
		l.write("app.py", "2")
		l.expect("modified app.py")
		l.remove("up.json")
		l.write("app.py", "3")
		l.expect("modified app.py")
		l.write("other.json", "now a file of the user's")
		l.rename("other.json", "up.json")
		l.expect("added up.json")
	})
}

func TestAFileOfTheCallersOwnIsNeverRead(t *testing.T) {
	onPolling(t, func(l *lab, o *Options) { ownFile(l, o, "up.json") }, func(l *lab) {
		if got := reads(l, func() { l.append("up.json", "{}\n") }); got != nil {
			t.Errorf("read: %v", got)
		}
		l.must(os.Remove(l.at("up.json")))
		if got := reads(l, func() { l.write("up.json", "the user's") }); !slices.Equal(got, []string{"up.json"}) {
			t.Errorf("another file of that name: read: %v", got)
		}
	})
}

func TestABusyFileIsReportedWithoutBeingRead(t *testing.T) {
	prepare := func(l *lab, o *Options) {
		l.write("log/busy.log", "1\n")
		o.Busy = func(path string) bool { return path == "log/busy.log" }
	}
	onBoth(t, prepare, func(l *lab) {
		l.first()
		l.append("log/busy.log", "2\n")
		l.expect("modified log/busy.log")
		if got := reads(l, func() { l.append("log/busy.log", "3\n") }); got != nil {
			t.Errorf("read: %v", got)
		}
		l.expect("modified log/busy.log")
		l.remove("log/busy.log")
		l.expect("removed log/busy.log")
	})
}

// reads are the files that a look at all of the folder would read after a change.
func reads(l *lab, change func()) (paths []string) {
	tree := newTree(l.watcher.options, l.watcher.clock.Now, l.noticed)
	tree.adoptCurrent()
	tree.everything()
	l.must(tree.settleReading(l.t.Context()))
	tree.begin()
	for _, f := range tree.top.files {
		f.racy = false // as if time had passed
	}
	change()
	tree.everything()
	for _, r := range tree.unread {
		paths = append(paths, filepath.ToSlash(r.in.child(r.name)))
	}
	return paths
}
