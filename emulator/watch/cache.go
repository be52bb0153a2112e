package watch

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// cacheHeader changes with the form of what follows it: a version, a sum of the rest,
// then the rest.
const cacheHeader = "merlin-local watch cache 1\n"

// keptTree begins a cache; its folders follow, those above first.
type keptTree struct {
	Root    string // with its links resolved
	Written time.Time
}

type keptFolder struct {
	Path, Real string
	Stat       stat
	Beside     bool
	Files      []keptFile
}

type keptFile struct {
	Name       string
	Stat       stat
	Link       *link
	Sum        [sha256.Size]byte
	Racy       bool
	Unreadable bool
}

// cacheFile is one a root and what is watched of it, so that several watchers can share a
// folder: what one of them leaves out is no change to another.
func cacheFile(o Options) string {
	sum := sha256.Sum256([]byte(strings.Join(append([]string{o.Root, o.Dockerfile}, o.Ignore...), "\x00")))
	return filepath.Join(o.Cache, "watch-"+hex.EncodeToString(sum[:6])+".cache")
}

// save keeps what is known. It replaces the file at once, so that one who reads it
// finds the old or the new.
func (t *tree) save() (err error) {
	if err := os.MkdirAll(t.options.Cache, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(t.options.Cache, "watch-*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	err = t.write(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), cacheFile(t.options))
}

func (t *tree) write(f io.WriterAt) error {
	head := int64(len(cacheHeader) + sha256.Size)
	hash := sha256.New()
	w := gob.NewEncoder(io.MultiWriter(io.NewOffsetWriter(f, head), hash))
	err := w.Encode(keptTree{t.top.real, t.now()})
	keep := func(folder *folder) {
		if err == nil {
			err = w.Encode(folder.keep(folder == t.beside))
		}
	}
	t.top.walk(keep)
	if t.beside != nil {
		keep(t.beside)
	}
	if err == nil {
		_, err = f.WriteAt(hash.Sum([]byte(cacheHeader)), 0)
	}
	return err
}

func (f *folder) keep(beside bool) keptFolder {
	k := keptFolder{Path: f.path, Real: f.real, Stat: f.stat, Beside: beside, Files: make([]keptFile, 0, len(f.files))}
	for name, is := range f.files {
		k.Files = append(k.Files, keptFile{name, is.stat, is.link, is.sum, is.racy, is.unreadable})
	}
	return k
}

// load fills an empty tree with what an earlier run knew; false where there is none.
// What cannot be used is an error, and leaves the tree empty.
func (t *tree) load() (bool, error) {
	content, err := os.ReadFile(cacheFile(t.options))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	rest, ours := bytes.CutPrefix(content, []byte(cacheHeader))
	if !ours || len(rest) < sha256.Size {
		return false, errors.New("it is of another version, or cut short")
	}
	if sum := sha256.Sum256(rest[sha256.Size:]); !bytes.Equal(sum[:], rest[:sha256.Size]) {
		return false, errors.New("it is damaged")
	}
	kept, folders, err := decodeCache(rest[sha256.Size:])
	if err != nil {
		return false, err
	}
	if kept.Root != t.top.real {
		return false, fmt.Errorf("it is of %s", kept.Root)
	}
	for _, k := range folders {
		t.recall(k, kept.Written)
	}
	now := t.now()
	_ = os.Chtimes(cacheFile(t.options), now, now) // Forget goes by it
	return true, nil
}

func decodeCache(content []byte) (kept keptTree, folders []keptFolder, err error) {
	r := gob.NewDecoder(bytes.NewReader(content))
	if err := r.Decode(&kept); err != nil {
		return kept, nil, err
	}
	for {
		var k keptFolder
		if err := r.Decode(&k); err == io.EOF {
			return kept, folders, nil
		} else if err != nil {
			return kept, nil, err
		}
		folders = append(folders, k)
	}
}

// recall takes a folder of a cache. A file that is not older than the cache itself may
// have been written after its sum was taken.
func (t *tree) recall(k keptFolder, written time.Time) {
	f := t.place(k)
	if f == nil {
		return
	}
	f.stat = k.Stat
	for _, is := range k.Files {
		racy := is.Racy || is.Stat.Modified >= written.UnixNano()
		f.files[is.Name] = &file{is.Stat, is.Link, is.Sum, racy, is.Unreadable}
		if is.Link != nil {
			t.links[f.child(is.Name)] = f.files[is.Name]
		}
	}
}

func (t *tree) place(k keptFolder) *folder {
	switch {
	case k.Beside:
		return t.beside // nil where there is none any more
	case k.Path == ".":
		return t.top
	}
	up, name := t.find(k.Path)
	if up.child(name) != k.Path || up == t.beside {
		return nil
	}
	f := newFolder(up, k.Path, filepath.Join(up.real, name), up.reach)
	if up.files[name] != nil {
		f.real, f.reach = k.Real, append(slices.Clone(up.reach), k.Real)
	}
	up.folders[name] = f
	return f
}
