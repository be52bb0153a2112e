package watch

import (
	"context"
	"crypto/sha256"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// tree is what is known of the folder, as of the last look. One goroutine owns it.
type tree struct {
	options Options
	now     func() time.Time
	notice  func(Notice)
	// spots are told of every folder before it is read, so that no change falls
	// between; nil while polling.
	spots spots

	rules rules
	top   *folder
	// beside is where a Dockerfile outside of the root lies; of that folder nothing
	// else is looked at. Else nil.
	beside *folder
	links  map[string]*file
	told   map[Notice]bool // notices about one path come once

	// What one look collects: the files as they were before, what is to be read, and
	// what is to be looked at again later.
	before map[string]*file
	unread []reading
	again  map[string]bool
	// awaited are new files with fleeting names that were seen once; hasty takes such
	// a file at first sight.
	awaited map[string]bool
	hasty   bool
	missing bool // the root was there once, and is not
	stopped func() bool
}

// spots are the places in the file system from which notifications come.
type spots interface {
	add(real string, id fileID, path string)
	remove(real, path string)
}

// folder is a folder of the tree, or one that a link in it leads to.
type folder struct {
	path    string // below the root, with slashes; "." is the root
	real    string
	stat    stat     // from before its names were read
	reach   []string // the real folders that hold it: the root, and links' targets
	verdict verdict
	gone    bool

	up      *folder
	folders map[string]*folder
	files   map[string]*file
	// ignored are names that are no files of the tree: true for those that rules leave
	// out, false for what is neither file nor link, or the caller's own.
	ignored map[string]bool

	sum *[sha256.Size]byte // of all that is below; nil where it is to be computed
}

// file is a regular file or a symbolic link. It is replaced, not changed, once it
// has been read.
type file struct {
	stat stat
	link *link // nil for a regular file
	sum  [sha256.Size]byte
	// racy: the content could differ although the stat does not.
	racy bool
	// unreadable: its content is not known.
	unreadable bool
}

func newFolder(up *folder, at, real string, reach []string) *folder {
	return &folder{
		path: at, real: real, reach: reach, up: up,
		folders: map[string]*folder{}, files: map[string]*file{}, ignored: map[string]bool{},
	}
}

func newTree(o Options, now func() time.Time, notice func(Notice)) *tree {
	t := &tree{options: o, now: now, notice: notice}
	t.links, t.told, t.awaited = map[string]*file{}, map[Notice]bool{}, map[string]bool{}
	t.stopped = func() bool { return false }
	t.top = newFolder(nil, ".", "", nil)
	if o.Dockerfile != "" && within(o.Root, o.Dockerfile) == "" {
		dir := filepath.Dir(o.Dockerfile)
		at, err := filepath.Rel(o.Root, dir)
		if err != nil { // another volume
			at = dir
		}
		t.beside = newFolder(nil, filepath.ToSlash(at), dir, nil)
	}
	t.begin()
	return t
}

// begin forgets what the look before collected.
func (t *tree) begin() {
	t.before, t.unread, t.again = map[string]*file{}, nil, map[string]bool{}
}

// child is the path of a name in a folder.
func (f *folder) child(name string) string {
	if f.path == "." {
		return name
	}
	return f.path + "/" + name
}

// find is the folder that holds a path. Where a folder on the way is not known, it is
// that one's parent, and the name is that of the unknown one.
func (t *tree) find(at string) (f *folder, name string) {
	if t.beside != nil && path.Dir(at) == t.beside.path {
		return t.beside, path.Base(at)
	}
	f = t.top
	for {
		first, rest, more := strings.Cut(at, "/")
		next := f.folders[first]
		if !more || next == nil {
			return f, first
		}
		f, at = next, rest
	}
}

// file is the file at a path; nil where there is none.
func (t *tree) file(at string) *file {
	f, name := t.find(at)
	if f.child(name) != at {
		return nil
	}
	return f.files[name]
}

// put replaces a file; nil removes it.
func (t *tree) put(f *folder, name string, is *file) {
	at, was := f.child(name), f.files[name]
	if _, known := t.before[at]; !known {
		t.before[at] = was
	}
	if was != nil && was.link != nil {
		delete(t.links, at)
		if t.spots != nil && was.link.watched() && (is == nil || is.link == nil || is.link.Real != was.link.Real) {
			t.spots.remove(was.link.Real, at)
		}
	}
	if f == t.beside && is == nil && t.spots != nil {
		t.spots.remove(filepath.Join(f.real, name), at)
	}
	if is == nil {
		delete(f.files, name)
	} else {
		f.files[name] = is
		if is.link != nil {
			t.links[at] = is
		}
	}
	f.stale()
}

// drop forgets a name: the file, and the folder with all that is in it.
func (t *tree) drop(f *folder, name string) {
	delete(f.ignored, name)
	if f.files[name] != nil {
		t.put(f, name, nil)
	}
	t.dropFolder(f, name)
}

func (t *tree) dropFolder(f *folder, name string) {
	gone := f.folders[name]
	if gone == nil {
		return
	}
	t.empty(gone)
	gone.gone = true
	delete(f.folders, name)
	if t.spots != nil {
		t.spots.remove(gone.real, gone.path)
	}
	f.stale()
}

// empty forgets all that is in a folder.
func (t *tree) empty(f *folder) {
	for name := range f.folders {
		t.dropFolder(f, name)
	}
	for name := range f.files {
		t.put(f, name, nil)
	}
	clear(f.ignored)
}

// walk calls visit for a folder and all below it.
func (f *folder) walk(visit func(*folder)) {
	visit(f)
	for _, below := range f.folders {
		below.walk(visit)
	}
}

// size counts the files and folders.
func (t *tree) size() (files, folders int) {
	t.top.walk(func(f *folder) {
		files += len(f.files)
		folders++
	})
	return files, folders
}

// settleReading reads what is to be read, and drops what turned out to be gone.
func (t *tree) settleReading(ctx context.Context) error {
	if err := readAll(ctx, t.unread, t.now()); err != nil {
		return err
	}
	for i := range t.unread {
		r := &t.unread[i]
		switch {
		case r.gone && r.in.files[r.name] == r.file:
			t.put(r.in, r.name, nil)
		case r.err != nil:
			r.file.unreadable = true
			t.tell(Notice{Unreadable, r.in.child(r.name), "cannot read " + r.in.child(r.name) + ": " + r.err.Error()})
		}
	}
	t.unread = nil
	return nil
}

// tell says something once.
func (t *tree) tell(n Notice) {
	if !t.told[n] {
		t.told[n] = true
		t.notice(n)
	}
}
