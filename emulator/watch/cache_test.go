package watch

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// session runs a watcher on the lab's folder from start to end, and returns its first
// set. Its clock is ahead of the files by age.
func (l *lab) session(cache string, age time.Duration, during func()) Set {
	l.t.Helper()
	w, err := New(Options{Root: l.root, Cache: cache, Poll: true, Notice: l.noticed})
	l.must(err)
	l.watcher = w
	w.clock = shifted{age}
	l.start()
	if during != nil {
		during()
	}
	l.stop()
	sets := l.taken()
	if len(sets) == 0 || !sets[0].First {
		l.t.Fatalf("began with %v", sets)
	}
	return sets[0]
}

func cached(t *testing.T, test func(l *lab, cache string)) {
	t.Helper()
	l := newLab(t, given, true)
	l.symlink("main.py", "entry.py")
	l.symlink(l.outside, "out")
	test(l, l.at("../cache"))
}

func TestChangesWhileNothingRanAreSeenAtTheStart(t *testing.T) {
	cached(t, func(l *lab, cache string) {
		first := l.session(cache, 0, nil)
		if len(first.Changes) != 0 {
			t.Errorf("without a cache, all was new: %v", first)
		}
		l.append("main.py", "more")
		l.rename("src/a.py", "src/c.py")
		l.must(os.Chmod(l.at("Makefile"), 0o755))
		l.write("new", "new")
		l.append("../outside/in.py", "more")
		must := "permissions of Makefile, modified main.py, added new, modified out/in.py, renamed src/c.py from src/a.py"
		second := l.session(cache, 0, nil)
		if second.String() != must {
			t.Errorf("reported %s", second)
		}
		if third := l.session(cache, 0, nil); len(third.Changes) != 0 || third.Tree != second.Tree || third.Tree != l.freshSum() {
			t.Errorf("with nothing changed: %v", third)
		}
	})
}

// What a run reported is not reported again by the next one.
func TestTheCacheIsKeptUpToDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cached(t, func(l *lab, cache string) {
			l.session(cache, 0, nil)
			l.session(cache, 0, func() {
				l.append("main.py", "more")
				time.Sleep(time.Minute)
			})
			if again := l.session(cache, 0, nil); len(again.Changes) != 0 {
				t.Errorf("reported again: %v", again)
			}
		})
	})
}

// A file is read again only where its stat differs, or could not have told.
func TestOnlyFilesThatMayHaveChangedAreRead(t *testing.T) {
	cached(t, func(l *lab, cache string) {
		l.session(cache, time.Hour, nil) // an hour later, no stat is in doubt
		reads := func(age time.Duration) []string {
			tree := newTree(l.watcher.options, func() time.Time { return time.Now().Add(age) }, l.noticed)
			tree.adoptCurrent()
			known, err := tree.load()
			if !known || err != nil {
				t.Fatal(known, err)
			}
			tree.everything()
			var paths []string
			for _, r := range tree.unread {
				paths = append(paths, r.in.child(r.name))
			}
			slices.Sort(paths)
			return paths
		}
		if got := reads(time.Hour); got != nil {
			t.Errorf("read again: %v", got)
		}
		l.must(os.Chtimes(l.at("main.py"), time.Now(), time.Now().Add(-time.Minute)))
		l.must(os.Chtimes(l.at("Makefile"), time.Now(), time.Now().Add(2*time.Hour)))
		if got := reads(time.Hour); !slices.Equal(got, []string{"Makefile", "main.py"}) {
			t.Errorf("after a touch: read again: %v", got)
		}
		l.session(cache, time.Hour, nil)
		// From the future, as seen when the cache was written.
		if got := reads(time.Hour); !slices.Equal(got, []string{"Makefile"}) {
			t.Errorf("with a time from the future: read again: %v", got)
		}
	})
}

// The same size, the same times: a write within one step of the file system's clock.
func TestAWriteThatTheStatDoesNotTellIsSeen(t *testing.T) {
	cached(t, func(l *lab, cache string) {
		l.session(cache, 0, nil)
		tree := newTree(l.watcher.options, time.Now, l.noticed)
		tree.adoptCurrent()
		if _, err := tree.load(); err != nil {
			t.Fatal(err)
		}
		// As if the file had been like this, with the same stat, when it was read.
		f := tree.file("main.py")
		f.sum[0]++
		if !f.racy {
			t.Fatal("a file from just now is trusted")
		}
		tree.begin()
		tree.everything()
		l.must(tree.settleReading(t.Context()))
		if got := tree.changes(); len(got) != 1 || got[0].String() != "modified main.py" {
			t.Errorf("reported %v", got)
		}
	})
}

func TestADamagedCacheIsNotUsed(t *testing.T) {
	cached(t, func(l *lab, cache string) {
		want := l.session(cache, time.Hour, nil).Tree
		files, err := filepath.Glob(filepath.Join(cache, "*"))
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		good, err := os.ReadFile(files[0])
		l.must(err)
		flipped := slices.Clone(good)
		flipped[len(flipped)/2] ^= 1
		for name, content := range map[string][]byte{
			"empty": {}, "cut": good[:len(good)-7], "cut early": good[:40], "a bit": flipped,
			"more": append(slices.Clone(good), 0), "another version": []byte(strings.Replace(string(good), "cache 1\n", "cache 0\n", 1)),
			"nonsense": []byte("nonsense"),
		} {
			l.notices = nil
			l.must(os.WriteFile(files[0], content, 0o600))
			l.append("Makefile", "#\n")
			set := l.session(cache, time.Hour, nil)
			if len(set.Changes) != 0 || set.Tree == want || set.Tree != l.freshSum() {
				t.Errorf("%s: %+v", name, set)
			}
			told := l.noticesOf(Cache)
			if len(told) != 1 || !strings.Contains(told[0].Text, "all are read") {
				t.Errorf("%s: told %v", name, told)
			}
			if set := l.session(cache, time.Hour, nil); len(set.Changes) != 0 || len(l.noticesOf(Cache)) != 1 {
				t.Errorf("%s: not mended: %v", name, l.notices)
			}
		}
		if left, _ := filepath.Glob(filepath.Join(cache, "*.tmp")); left != nil {
			t.Errorf("left behind: %v", left)
		}
	})
}

func TestACacheThatCannotBeWrittenIsSaid(t *testing.T) {
	cached(t, func(l *lab, cache string) {
		l.write("../cache", "a file in its place")
		l.session(cache, 0, nil)
		if told := l.noticesOf(Cache); len(told) == 0 || !strings.Contains(told[len(told)-1].Text, "is not kept for the next run") {
			t.Errorf("told %v", told)
		}
	})
}

func FuzzWhatIsReadAsACache(f *testing.F) {
	f.Add([]byte(cacheHeader))
	f.Add([]byte{3, 4, 0, 255})
	f.Fuzz(func(t *testing.T, content []byte) {
		_, _, _ = decodeCache(content)
	})
}
