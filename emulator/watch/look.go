package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// look reads again what is at these paths; changes then says what differs. A path
// that is a known folder is read without the folders in it, unless it is another
// folder than it was: those have hints of their own.
func (t *tree) look(paths map[string]bool) {
	if !t.present() {
		return
	}
	if slices.ContainsFunc(t.ruleFiles(), func(p string) bool { return paths[p] }) && t.reread() {
		t.scan(t.top, true)
	}
	inFolder := map[*folder]map[string]bool{}
	for at := range paths {
		if at == "." {
			t.scan(t.top, false)
			continue
		}
		f, name := t.find(at)
		if inFolder[f] == nil {
			inFolder[f] = map[string]bool{}
		}
		inFolder[f][name] = true
	}
	// Parents first: what they drop need not be looked at.
	for _, f := range slices.SortedFunc(maps.Keys(inFolder), func(a, b *folder) int { return len(a.path) - len(b.path) }) {
		if !f.gone {
			t.lookIn(f, inFolder[f])
		}
	}
}

// lookIn takes names from the folder's list, not from asking for each: where case is
// not told apart, a file answers to names that it does not have.
func (t *tree) lookIn(f *folder, names map[string]bool) {
	there, err := namesIn(f.real)
	if err != nil {
		there = nil
	}
	// What is gone goes first, so that a folder that was moved is free for its new name.
	for name := range names {
		if !there[name] {
			t.drop(f, name)
			delete(t.awaited, f.child(name))
		}
	}
	for name := range names {
		if there[name] {
			t.meet(f, name, false)
		}
	}
}

func namesIn(real string) (map[string]bool, error) {
	dir, err := os.Open(real)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	there := make(map[string]bool, len(names))
	for _, name := range names {
		there[name] = true
	}
	return there, err
}

// everything reads the whole tree again.
func (t *tree) everything() {
	if !t.present() {
		return
	}
	t.reread()
	t.scan(t.top, true)
	if t.beside != nil {
		t.lookIn(t.beside, t.besideNames())
	}
}

// present checks that the root is there, and is the folder that it was. It is false
// where there is nothing to look at.
func (t *tree) present() bool {
	real, info, err := t.resolveRoot()
	switch {
	case missing(err):
		if !t.missing {
			t.missing = true
			t.empty(t.top)
			t.notice(Notice{RootMissing, "", fmt.Sprintf("%s is gone; it is watched again once it is back", t.options.Root)})
		}
		return false
	case err != nil:
		return false // a file system that does not answer has not lost its files
	}
	if t.missing {
		t.notice(Notice{RootBack, "", t.options.Root + " is back"})
	}
	if t.missing || t.top.real != real || t.top.stat.ID != statOf(info).ID {
		t.missing = false
		t.adopt(real)
		t.scan(t.top, true)
	}
	return true
}

// adopt takes a real folder as the root.
func (t *tree) adopt(real string) {
	if t.spots != nil && t.top.real != "" {
		t.spots.remove(t.top.real, ".")
	}
	t.top.real, t.top.reach = real, []string{real}
	t.reread()
}

func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

func (t *tree) resolveRoot() (string, fs.FileInfo, error) {
	real, err := filepath.EvalSymlinks(t.options.Root)
	if err != nil {
		return "", nil, err
	}
	info, err := os.Stat(real)
	if err == nil && !info.IsDir() {
		err = &fs.PathError{Op: "watch", Path: t.options.Root, Err: syscall.ENOTDIR}
	}
	return real, info, err
}

// scan reads a folder: all below it where deep, else only it and what is new in it.
func (t *tree) scan(f *folder, deep bool) {
	if t.stopped() {
		return
	}
	info, err := os.Stat(f.real)
	if err == nil {
		f.stat = statOf(info)
		if t.spots != nil {
			t.spots.add(f.real, f.stat.ID, f.path)
		}
	}
	entries, err := os.ReadDir(f.real)
	if err != nil && !missing(err) {
		t.tell(Notice{Unreadable, f.path, fmt.Sprintf("cannot read the folder %s: %v", f.path, err)})
	}
	there := make(map[string]bool, len(entries))
	for _, e := range entries {
		there[e.Name()] = true
	}
	for _, name := range f.known() {
		if !there[name] {
			t.drop(f, name)
		}
	}
	for _, e := range entries {
		t.meetEntry(f, e, deep)
	}
}

// known are the names that the folder had at the last look.
func (f *folder) known() []string {
	return slices.Concat(slices.Collect(maps.Keys(f.files)), slices.Collect(maps.Keys(f.folders)), slices.Collect(maps.Keys(f.ignored)))
}

// meetEntry spares the stat of what is ignored anyway.
func (t *tree) meetEntry(f *folder, e fs.DirEntry, deep bool) {
	if f.ignored[e.Name()] && !e.IsDir() {
		return
	}
	info, err := e.Info()
	if err != nil {
		t.drop(f, e.Name())
		return
	}
	t.met(f, e.Name(), info, deep)
}

// meet looks at a name that is there.
func (t *tree) meet(f *folder, name string, deep bool) {
	info, err := os.Lstat(filepath.Join(f.real, name))
	if err != nil {
		t.drop(f, name)
		return
	}
	t.met(f, name, info, deep)
}

func (t *tree) met(f *folder, name string, info fs.FileInfo, deep bool) {
	at := f.child(name)
	if f == t.beside {
		t.metBeside(name, info)
		return
	}
	v := t.rules.judge(at, f.verdict)
	switch {
	case info.IsDir():
		t.metFolder(f, name, info, v, deep)
	case v.ignored:
		t.drop(f, name)
		f.ignored[name] = true
	case info.Mode()&fs.ModeSymlink != 0:
		t.metLink(f, name, info, v, deep)
	default:
		t.dropFolder(f, name)
		t.metFile(f, name, info)
	}
}

func (t *tree) metFolder(f *folder, name string, info fs.FileInfo, v verdict, deep bool) {
	at := f.child(name)
	if !t.rules.enters(at, v) {
		t.drop(f, name)
		return
	}
	if f.files[name] != nil {
		t.drop(f, name)
	}
	delete(f.ignored, name)
	below := f.folders[name]
	fresh := below == nil
	if fresh {
		below = newFolder(f, at, filepath.Join(f.real, name), f.reach)
		f.folders[name] = below
	}
	below.verdict = v
	was := t.hasty
	t.hasty = was || fresh // an editor works beside a file that was there before
	t.scan(below, deep || fresh || below.stat.ID != statOf(info).ID)
	t.hasty = was
}

// metBeside takes a file outside of the root.
func (t *tree) metBeside(name string, info fs.FileInfo) {
	real := filepath.Join(t.beside.real, name)
	if info.Mode()&fs.ModeSymlink == 0 {
		if t.spots != nil && info.Mode().IsRegular() {
			t.spots.add(real, statOf(info).ID, t.beside.child(name))
		}
		t.metFile(t.beside, name, info)
		return
	}
	if target, err := os.Stat(real); err == nil && target.Mode().IsRegular() {
		t.metLink(t.beside, name, info, verdict{}, false)
		return
	}
	t.drop(t.beside, name)
}

// metFile takes a regular file. Pipes, sockets and devices are no content, nor is what
// the caller itself writes.
func (t *tree) metFile(f *folder, name string, info fs.FileInfo) {
	if !info.Mode().IsRegular() || t.options.Own(info) {
		t.drop(f, name)
		f.ignored[name] = false
		return
	}
	t.upsert(f, name, &file{stat: statOf(info)})
}

// upsert takes a file whose content, where the stat does not answer for it, is to be
// read.
func (t *tree) upsert(f *folder, name string, is *file) {
	delete(f.ignored, name)
	was := f.files[name]
	if was != nil && was.stat == is.stat && was.link.same(is.link) && !was.racy {
		return
	}
	at := f.child(name)
	if was == nil && fleeting(name) && !t.hasty && !t.awaited[at] {
		t.again[at], t.awaited[at] = true, true
		return
	}
	delete(t.awaited, at)
	t.put(f, name, is)
	if is.link == nil && t.options.Busy(at) {
		is.sum = is.stat.sum()
		return
	}
	t.unread = append(t.unread, reading{in: f, name: name, file: is})
}

// astray says whether the root is not the folder that it was, or is gone or back.
// Nothing notifies of a folder above it that is renamed.
func (t *tree) astray() bool {
	real, info, err := t.resolveRoot()
	if err != nil {
		return missing(err) != t.missing
	}
	return t.missing || real != t.top.real || statOf(info).ID != t.top.stat.ID
}

// adoptCurrent takes the root as it is now, without reading it.
func (t *tree) adoptCurrent() {
	if real, info, err := t.resolveRoot(); err == nil {
		t.adopt(real)
		t.top.stat = statOf(info)
	}
}
