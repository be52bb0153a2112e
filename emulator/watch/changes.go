package watch

import (
	"cmp"
	"crypto/sha256"
	"slices"
)

// changes says what differs from before the look.
func (t *tree) changes() []Change {
	var all []Change
	for at, was := range t.before {
		if kind := compare(was, t.file(at)); kind != 0 {
			all = append(all, Change{Path: at, Kind: kind})
		}
	}
	slices.SortFunc(all, func(a, b Change) int { return cmp.Compare(a.Path, b.Path) })
	return t.pairRenames(all)
}

// compare says what happened to a file; 0 is nothing.
func compare(was, is *file) Kind {
	switch {
	case was == nil && is == nil:
		return 0
	case was == nil:
		return Added
	case is == nil:
		return Removed
	case !was.sameContent(is):
		return Modified
	case was.stat.Mode != is.stat.Mode:
		return Permissions
	}
	return 0
}

// sameContent takes a file that cannot be read as changed once its stat is.
func (f *file) sameContent(other *file) bool {
	if f.unreadable || other.unreadable {
		return f.unreadable == other.unreadable && f.stat == other.stat
	}
	return f.sum == other.sum && (f.link == nil) == (other.link == nil)
}

// pairRenames makes one change of a removed and an added file with the same content
// and mode. Where several could be meant, it is the one that still is the same inode,
// and an empty file is a renamed one only then.
func (t *tree) pairRenames(all []Change) []Change {
	removed := map[[sha256.Size]byte][]string{}
	for _, c := range all {
		if was := t.before[c.Path]; c.Kind == Removed && !was.unreadable {
			removed[was.sum] = append(removed[was.sum], c.Path)
		}
	}
	if len(removed) == 0 {
		return all
	}
	from := map[string]bool{}
	pair := func(sure bool) {
		for i, c := range all {
			if c.Kind != Added {
				continue
			}
			is := t.file(c.Path)
			rest := removed[is.sum]
			k := slices.IndexFunc(rest, func(path string) bool { return renamed(t.before[path], is, sure) })
			if k < 0 {
				continue
			}
			all[i].Kind, all[i].From = Renamed, rest[k]
			from[rest[k]] = true
			removed[is.sum] = slices.Delete(rest, k, k+1)
		}
	}
	pair(true)
	pair(false)
	return slices.DeleteFunc(all, func(c Change) bool { return c.Kind == Removed && from[c.Path] })
}

func renamed(was, is *file, sure bool) bool {
	if is.unreadable || was.stat.Mode != is.stat.Mode || !was.sameContent(is) {
		return false
	}
	if sure {
		return was.stat.ID == is.stat.ID && is.stat.ID != fileID{}
	}
	return is.stat.Size > 0
}
