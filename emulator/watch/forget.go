package watch

import (
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Forget removes from a cache folder what no watcher has used since a moment, and what is
// known of folders that are gone. Watchers may run meanwhile: one whose file goes reads
// all the next time. Anything else in the folder is left.
func Forget(cache string, since time.Time) (err error) {
	for _, pattern := range []string{"watch-*.cache", "watch-*.tmp"} {
		files, _ := filepath.Glob(filepath.Join(cache, pattern)) // the patterns are fine
		for _, file := range files {
			if !forgotten(file, since) {
				continue
			}
			if removal := os.Remove(file); !errors.Is(removal, fs.ErrNotExist) {
				err = errors.Join(err, removal)
			}
		}
	}
	return err
}

func forgotten(file string, since time.Time) bool {
	info, err := os.Lstat(file)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	if info.ModTime().Before(since) {
		return true
	}
	root := rootOf(file)
	if root == "" {
		return false
	}
	_, err = os.Stat(root)
	return missing(err)
}

// rootOf reads whose a cache is from its beginning; empty where that is not told.
func rootOf(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	if _, err := f.Seek(int64(len(cacheHeader)+sha256.Size), io.SeekStart); err != nil {
		return ""
	}
	var kept keptTree
	if err := gob.NewDecoder(f).Decode(&kept); err != nil {
		return ""
	}
	return kept.Root
}
