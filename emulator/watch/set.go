package watch

import (
	"fmt"
	"strings"
)

// Set is what changed between two settled states of the folder.
type Set struct {
	// First is true for the set that Run starts with. Its changes are those made
	// since an earlier run, as far as a cache tells; it comes even without any.
	First bool
	// Changes are sorted by path, and never two of one path.
	Changes []Change
	// Tree identifies the content of the whole folder after the changes: paths,
	// bytes, permissions and links' targets, but no times. Hexadecimal.
	Tree string
}

// Change is one file that is not what it was.
type Change struct {
	// Path is relative to the root, with slashes. It begins with ".." for a
	// Dockerfile outside of the root.
	Path string
	Kind Kind
	// From is what a renamed file was called.
	From string
}

func (c Change) String() string {
	if c.Kind == Renamed {
		return fmt.Sprintf("%s %s from %s", c.Kind, c.Path, c.From)
	}
	return fmt.Sprintf("%s %s", c.Kind, c.Path)
}

// Kind is what happened to a file.
type Kind int

// The kinds of change. A file whose content and permissions both changed is Modified.
const (
	Added Kind = iota + 1
	Modified
	Removed
	Renamed     // same content, other path
	Permissions // same content, other mode
)

func (k Kind) String() string {
	names := []string{"", "added", "modified", "removed", "renamed", "permissions of"}
	if k < 1 || int(k) >= len(names) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return names[k]
}

// String names the changes, some of them where they are many.
func (s Set) String() string {
	const most = 5
	var b strings.Builder
	for i, c := range s.Changes {
		if i == most {
			fmt.Fprintf(&b, ", and %d more", len(s.Changes)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c.String())
	}
	return b.String()
}
