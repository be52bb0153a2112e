package watch

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// link is a symbolic link: its own text counts, and where it leads out of the
// folders that are watched anyway, so does what is there.
type link struct {
	Text string
	// Real is the target that is followed; empty where it is watched under its own
	// path, where there is none, and where following would lead around in a circle.
	Real   string
	Target stat // of a file that is followed; of a folder only what identifies it
}

// maxReach is how many links lead from one to the next, each out of all before it.
const maxReach = 8

func (l *link) same(other *link) bool {
	if l == nil || other == nil {
		return l == other
	}
	return *l == *other
}

// watched says whether the target is a file with a spot of its own.
func (l *link) watched() bool { return l.Real != "" && !l.Target.Mode.IsDir() }

// follow resolves a link in a folder.
func (t *tree) follow(f *folder, name string) (*link, error) {
	file := filepath.Join(f.real, name)
	text, err := os.Readlink(file)
	if err != nil {
		return nil, err
	}
	l := &link{Text: text}
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return l, nil // it leads nowhere, or to itself
	}
	info, err := os.Stat(real)
	if err != nil || !t.leadsOut(f, name, real, info.IsDir()) {
		return l, nil
	}
	switch {
	case info.IsDir():
		l.Real, l.Target = real, stat{ID: statOf(info).ID, Mode: fs.ModeDir}
	case info.Mode().IsRegular():
		l.Real, l.Target = real, statOf(info)
	}
	return l, nil
}

// leadsOut says whether a target is outside of all that is watched on the way to it.
func (t *tree) leadsOut(f *folder, name, real string, dir bool) bool {
	for _, holder := range f.reach {
		if real == holder || within(holder, real) != "" {
			return false
		}
		if dir && within(real, holder) != "" {
			t.tell(Notice{Link, f.child(name), fmt.Sprintf("the link %s leads to %s, which holds the link itself, so it is not followed", f.child(name), real)})
			return false
		}
	}
	if dir && len(f.reach) > maxReach {
		t.tell(Notice{Link, f.child(name), fmt.Sprintf("the link %s is the %dth in a row from folder to folder, so it is not followed", f.child(name), maxReach+1)})
		return false
	}
	return true
}

func (t *tree) metLink(f *folder, name string, info fs.FileInfo, v verdict, deep bool) {
	l, err := t.follow(f, name)
	if err != nil {
		t.drop(f, name)
		return
	}
	is := &file{stat: statOf(info), link: l}
	if below := f.folders[name]; below != nil && (below.real != l.Real || below.stat.ID != l.Target.ID) {
		t.dropFolder(f, name)
	}
	if l.watched() {
		is.stat.Mode = fs.ModeSymlink | l.Target.Mode
		if t.spots != nil {
			t.spots.add(l.Real, l.Target.ID, f.child(name))
		}
	}
	t.upsert(f, name, is)
	if l.Target.Mode.IsDir() {
		t.metTarget(f, name, l, v, deep)
	}
}

// metTarget takes the folder that a link leads to as one with the link's path.
func (t *tree) metTarget(f *folder, name string, l *link, v verdict, deep bool) {
	below := f.folders[name]
	if below == nil {
		below = newFolder(f, f.child(name), l.Real, append(slices.Clone(f.reach), l.Real))
		f.folders[name], deep = below, true
	}
	below.verdict = v
	t.scan(below, deep)
}

// strayed are the links whose targets are not what they were. Nothing tells of a
// change on the way to a target, such as a folder that is renamed.
func (t *tree) strayed() []string {
	var paths []string
	for at, was := range t.links {
		f, name := t.find(at)
		is, err := t.follow(f, name)
		if err != nil || !was.link.same(is) {
			paths = append(paths, at)
		}
	}
	return append(paths, t.strayedBeside()...)
}

func (t *tree) strayedBeside() []string {
	if t.beside == nil {
		return nil
	}
	var paths []string
	for name := range t.besideNames() {
		info, err := os.Lstat(filepath.Join(t.beside.real, name))
		was := t.beside.files[name]
		if (err == nil) != (was != nil) || err == nil && was.link == nil && statOf(info) != was.stat {
			paths = append(paths, t.beside.child(name))
		}
	}
	return paths
}
