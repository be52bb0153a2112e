package watch

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"
)

// eventually checks that these changes come, in however many sets. The clock of
// notifications is moved until they do: nothing notifies of a root that comes back.
func (l *lab) eventually(want ...string) {
	l.t.Helper()
	slices.Sort(want)
	var got []string
	tree := ""
	collect := func() bool {
		for _, s := range l.taken() {
			tree = s.Tree
			for _, c := range s.Changes {
				got = append(got, c.String())
			}
		}
		slices.Sort(got)
		return slices.Equal(got, want)
	}
	clock, moved := l.watcher.clock.(*manual)
	if moved {
		clock.ringChecks()
	} else {
		l.pass()
	}
	for began := time.Now(); !collect() && moved; runtime.Gosched() {
		clock.advance(quiet)
		if time.Since(began) > time.Minute {
			break
		}
	}
	if !slices.Equal(got, want) {
		l.t.Fatalf("reported %q, want %q", got, want)
	}
	if sum := l.freshSum(); tree != sum {
		l.t.Errorf("the tree's sum is %s, that of a new reading %s", tree, sum)
	}
}

func all(kind string) []string {
	return []string{kind + " Makefile", kind + " main.py", kind + " src/a.py", kind + " src/deep/b.py"}
}

func TestARootThatIsDeletedAndMadeAgainIsWatchedOn(t *testing.T) {
	onBoth(t, given, func(l *lab) {
		l.first()
		l.removeAll("")
		l.eventually(all("removed")...)
		l.write("main.py", "print(1)\n")
		l.write("src/a.py", "another")
		l.eventually("added main.py", "added src/a.py")
		l.append("src/a.py", "more")
		l.eventually("modified src/a.py")
		if len(l.noticesOf(RootMissing)) != 1 || len(l.noticesOf(RootBack)) != 1 {
			l.t.Errorf("told %v", l.notices)
		}
	})
}

func TestARootThatIsReplacedIsWatchedOn(t *testing.T) {
	onBoth(t, given, func(l *lab) {
		l.first()
		l.write("../next/main.py", "print(1)\n")
		l.write("../next/src/a.py", "another")
		l.rename("", "../old")
		l.rename("../next", "")
		l.eventually("removed Makefile", "modified src/a.py", "removed src/deep/b.py")
		l.append("../old/main.py", "not of interest any more")
		l.append("src/a.py", "more")
		l.eventually("modified src/a.py")
	})
}

// A folder above that is renamed takes the root with it, and nothing notifies of it.
func TestARootBelowARenamedFolderIsMissedAndFound(t *testing.T) {
	onBoth(t, func(l *lab, o *Options) {
		l.root = l.at("../above/root")
		o.Root = l.root
		given(l, o)
	}, func(l *lab) {
		l.first()
		above := filepath.Dir(l.root)
		l.must(os.Rename(above, above+"2"))
		l.eventually(all("removed")...)
		l.must(os.Rename(above+"2", above))
		l.eventually(all("added")...)
		l.append("src/a.py", "more")
		l.eventually("modified src/a.py")
	})
}

func TestARootThatIsALinkFollowsItsTarget(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("NOT TESTED: links want a privilege on Windows")
	}
	onBoth(t, func(l *lab, o *Options) {
		given(l, o)
		l.write("../second/main.py", "print(2)\n")
		l.symlink("root", "../link")
		o.Root = l.at("../link")
	}, func(l *lab) {
		l.first()
		l.append("main.py", "more")
		l.eventually("modified main.py")
		l.symlink("second", "../tmp")
		l.rename("../tmp", "../link")
		l.eventually("removed Makefile", "modified main.py", "removed src/a.py", "removed src/deep/b.py")
		l.append("../second/main.py", "more")
		l.eventually("modified main.py")
	})
}
