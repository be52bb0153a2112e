package watch

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestWhatNobodyUsesAnyMoreIsForgotten(t *testing.T) {
	day := 24 * time.Hour
	cached(t, func(l *lab, cache string) {
		l.session(cache, 0, nil)
		mine := cacheFile(l.watcher.options)
		of := func(root string) string { return cacheFile(Options{Root: root, Cache: cache}) }
		copied := func(to string) {
			content, err := os.ReadFile(mine)
			l.must(err)
			l.must(os.WriteFile(to, content, 0o600))
		}
		old, gone := of("/old"), of("/gone")
		copied(old)
		l.must(os.Chtimes(old, time.Now(), time.Now().Add(-31*day)))
		kept, outside := l.root, l.outside
		l.root = outside // a repo that is removed then
		l.session(cache, 0, nil)
		l.must(os.Rename(cacheFile(l.watcher.options), gone))
		l.must(os.RemoveAll(outside))
		l.root = kept
		others := []string{"watch-of-mine.txt", "watch-1.cache", "notes.cache"}
		for _, name := range others {
			l.must(os.WriteFile(filepath.Join(cache, name), []byte("the user's"), 0o600))
			l.must(os.Chtimes(filepath.Join(cache, name), time.Now(), time.Now().Add(-29*day)))
		}
		l.must(os.WriteFile(filepath.Join(cache, "watch-1.tmp"), nil, 0o600)) // of one that was killed
		l.must(os.Chtimes(filepath.Join(cache, "watch-1.tmp"), time.Now(), time.Now().Add(-31*day)))

		l.must(Forget(cache, time.Now().Add(-30*day)))
		entries, err := os.ReadDir(cache)
		l.must(err)
		var left []string
		for _, e := range entries {
			left = append(left, e.Name())
		}
		want := append([]string{filepath.Base(mine)}, others...)
		slices.Sort(want)
		if !slices.Equal(left, want) {
			t.Errorf("left are %q, want %q", left, want)
		}
	})
}

// A repo that nothing changes in is used all the same.
func TestAnUpWithoutChangesKeepsWhatIsKnown(t *testing.T) {
	cached(t, func(l *lab, cache string) {
		l.session(cache, time.Hour, nil)
		l.session(cache, time.Hour, nil) // no stat is in doubt any more
		file := cacheFile(l.watcher.options)
		old := time.Now().Add(-29 * 24 * time.Hour)
		l.must(os.Chtimes(file, old, old))
		l.session(cache, time.Hour, nil)
		l.must(Forget(cache, old.Add(time.Hour)))
		if _, err := os.Stat(file); err != nil {
			t.Error(err)
		}
	})
}

func TestThereIsNothingToForgetWhereNothingIsKnown(t *testing.T) {
	if err := Forget(filepath.Join(t.TempDir(), "none"), time.Now()); err != nil {
		t.Error(err)
	}
}
