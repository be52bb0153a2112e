package watch

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// gitPatience is how long a git command may take until what it has done so far counts.
const gitPatience = 10 * time.Second

// gitBusy says whether git is in the middle of changing the working tree: it holds the
// lock of its index meanwhile. A lock that was left behind long ago does not count.
func gitBusy(root string, now time.Time) bool {
	dir := gitDir(root)
	if dir == "" {
		return false
	}
	lock, err := os.Stat(filepath.Join(dir, "index.lock"))
	return err == nil && now.Sub(lock.ModTime()) < gitPatience
}

// gitDir is git's folder for a working tree that holds root; empty where none does.
func gitDir(root string) string {
	for at := root; ; at = filepath.Dir(at) {
		dot := filepath.Join(at, ".git")
		info, err := os.Stat(dot)
		switch {
		case err == nil && info.IsDir():
			return dot
		case err == nil:
			return linkedGitDir(at, dot)
		case filepath.Dir(at) == at:
			return ""
		}
	}
}

// linkedGitDir reads the .git file of a worktree or submodule.
func linkedGitDir(at, dot string) string {
	content, err := os.ReadFile(dot)
	dir, is := strings.CutPrefix(strings.TrimSpace(string(content)), "gitdir: ")
	if err != nil || !is {
		return ""
	}
	if filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(at, dir)
}
