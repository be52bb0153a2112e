package pins

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

const (
	ending  = ".json"
	largest = 256 << 20 // of a file that is read
)

// Folder is where the pins of a model repo are.
func Folder(repo string) string { return filepath.Join(repo, ".merlin-local", "pins") }

// Store is the pins of a model repo. Its folder is made when the first is added.
type Store struct{ Dir string }

// At is the store of a model repo.
func At(repo string) Store { return Store{Folder(repo)} }

// ErrNone says that there is no such pin.
var ErrNone = errors.New("there is no such pin")

// ErrThere says that there is a pin of that name already.
var ErrThere = errors.New("is there already")

func (s Store) path(name string) string { return filepath.Join(s.Dir, name+ending) }

// All reads all pins, by name. Those that cannot be read are the error, and the others come
// all the same.
func (s Store) All() ([]Pin, error) {
	entries, err := os.ReadDir(s.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the pins: %w", err)
	}
	var all []Pin
	var wrong []error
	for _, e := range entries {
		name, is := strings.CutSuffix(e.Name(), ending)
		if !is || e.IsDir() || strings.HasPrefix(name, ".") {
			continue
		}
		p, err := s.Get(name)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Pin) int { return cmp.Compare(a.Name, b.Name) })
	return all, errors.Join(wrong...)
}

// Get reads one pin; ErrNone where it is not there.
func (s Store) Get(name string) (Pin, error) {
	if err := CheckName(name); err != nil {
		return Pin{}, err
	}
	f, err := os.Open(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return Pin{}, fmt.Errorf("%s: %w; `merlin-local pin list` has them", name, ErrNone)
	}
	if err != nil {
		return Pin{}, fmt.Errorf("read a pin: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, largest+1))
	if err != nil {
		return Pin{}, fmt.Errorf("read a pin: %w", err)
	}
	if len(data) > largest {
		return Pin{}, fmt.Errorf("%s: it is larger than %d MiB", s.path(name), largest>>20)
	}
	p, err := decode(name, data)
	if err != nil {
		return Pin{}, fmt.Errorf("%s: %w", s.path(name), err)
	}
	return p, nil
}

// Add writes a new pin; ErrThere where there is one of that name.
func (s Store) Add(p Pin) error {
	return s.write(p, func(from, to string) error {
		err := os.Link(from, to)
		if err != nil && !errors.Is(err, fs.ErrExist) { // not every file system has links
			return rename(from, to)
		}
		return err
	})
}

// rename renames where nothing is at the place yet.
func rename(from, to string) error {
	held, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if err := held.Close(); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// Replace writes a pin in the place of the one that is there.
func (s Store) Replace(p Pin) error { return s.write(p, os.Rename) }

// write writes a file beside its place, and puts it there whole.
func (s Store) write(p Pin, put func(from, to string) error) error {
	if err := CheckName(p.Name); err != nil {
		return err
	}
	data, err := encode(p)
	if err != nil {
		return fmt.Errorf("pin %s: %w", p.Name, err)
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return fmt.Errorf("pin %s: %w", p.Name, err)
	}
	temporary, err := os.CreateTemp(s.Dir, ".new-*")
	if err != nil {
		return fmt.Errorf("pin %s: %w", p.Name, err)
	}
	defer os.Remove(temporary.Name())
	_, err = temporary.Write(data)
	err = errors.Join(err, temporary.Chmod(0o644), temporary.Close())
	if err == nil {
		err = put(temporary.Name(), s.path(p.Name))
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("pin %s %w: give another --name, or `merlin-local pin accept %s`", p.Name, ErrThere, p.Name)
	case err != nil:
		return fmt.Errorf("pin %s: %w", p.Name, err)
	}
	return nil
}

// Remove removes a pin; ErrNone where it is not there.
func (s Store) Remove(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	err := os.Remove(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w; `merlin-local pin list` has them", name, ErrNone)
	}
	return err
}

// Free is a name for an exchange that no pin has: what it asks of which model, and a number
// where that is taken.
func (s Store) Free(x event.Exchange) string {
	base := nameFor(x)
	for n := 1; ; n++ {
		name := base
		if n > 1 {
			name = fmt.Sprintf("%s-%d", base, n)
		}
		if _, err := os.Lstat(s.path(name)); errors.Is(err, fs.ErrNotExist) {
			return name
		}
	}
}

// nameFor is "iris-1-predict" of /v1/models/iris-1:predict.
func nameFor(x event.Exchange) string {
	last := x.Path[strings.LastIndexAny(x.Path, "/:")+1:]
	text := strings.Trim(x.Model+"-"+last, "-")
	clean := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '-' || r == '_':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, text)
	clean = strings.Trim(clean[:min(len(clean), 60)], "-_")
	return cmp.Or(clean, "request")
}

// Find is the name of a pin with the same file as p; empty where there is none.
func (s Store) Find(p Pin) string {
	want, err := encode(p)
	if err != nil {
		return ""
	}
	entries, _ := os.ReadDir(s.Dir) // none where it is not there
	for _, e := range entries {
		name, is := strings.CutSuffix(e.Name(), ending)
		info, err := e.Info()
		if !is || err != nil || info.Size() != int64(len(want)) {
			continue
		}
		if have, err := os.ReadFile(s.path(name)); err == nil && string(have) == string(want) {
			return name
		}
	}
	return ""
}
