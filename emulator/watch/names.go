package watch

import (
	"strings"
)

// neverWatched are folders and files that are of no interest anywhere: what a checkout
// changes is seen by the files themselves, and the rest is written by running a model.
func neverWatched(name string) bool {
	switch name {
	case ".git", ".hg", ".svn", "__pycache__", ".merlin-local", ".DS_Store":
		return true
	}
	return scratch(name)
}

// scratch says whether an editor keeps its own state under such a name: swap files,
// backups, locks, and what it writes before a rename. Names that could be a person's
// file too are not among them; see fleeting.
func scratch(name string) bool {
	switch {
	case strings.HasSuffix(name, "~"): // backups: vim, emacs, gedit
	case strings.HasPrefix(name, ".#"), // locks of emacs
		strings.HasPrefix(name, "#") && strings.HasSuffix(name, "#") && len(name) > 1,    // its auto-saves
		strings.HasSuffix(name, "___jb_tmp___"), strings.HasSuffix(name, "___jb_old___"), // JetBrains
		strings.HasPrefix(name, ".goutputstream-"), // GLib: gedit
		strings.HasSuffix(name, ".vsctmp"),         // VS Code
		strings.HasSuffix(name, ".kate-swp"),       // Kate
		strings.HasPrefix(name, ".~lock."):         // LibreOffice
	case strings.HasPrefix(name, ".") && swapSuffix(name): // vim, nano
	default:
		return false
	}
	return true
}

// swapSuffix: vim counts down from .swp to .saa where there are several.
func swapSuffix(name string) bool {
	dot := strings.LastIndexByte(name, '.')
	end := name[dot+1:]
	return dot > 0 && len(end) == 3 && end[0] == 's' && end >= "saa" && end <= "swz"
}

// fleeting says whether a program may use such a name for a moment only, although a
// person's file could have it: one that is new waits for a second look.
func fleeting(name string) bool {
	if strings.HasPrefix(name, "sed") && len(name) == 9 { // sed -i
		return strings.IndexFunc(name, func(r rune) bool {
			return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9')
		}) < 0
	}
	return probe4913(name)
}

// probe4913: vim tries whether it may write in a folder with the name 4913, or where
// that is taken with one 123 higher, and so on.
func probe4913(name string) bool {
	const first, step = 4913, 123
	number := 0
	for _, r := range name {
		if r < '0' || r > '9' || number > 1e6 {
			return false
		}
		number = number*10 + int(r-'0')
	}
	return number >= first && (number-first)%step == 0
}
