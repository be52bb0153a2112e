//go:build !windows

package watch

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Whatever is done to a folder, what is reported is the difference between how it was
// and how it is, as one finds it who just reads it all.
func TestAnyMixtureOfChangesComesToTheDifference(t *testing.T) {
	for _, seed := range []uint64{1, 2, 3} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			onBoth(t, linked, func(l *lab) {
				l.first()
				chaos := chaos{l, rand.New(rand.NewPCG(seed, 0))}
				was := l.snapshot(l.root, "")
				for round := range 60 {
					var did []string
					for range 1 + chaos.IntN(6) {
						did = append(did, chaos.act())
					}
					l.pass()
					is := l.snapshot(l.root, "")
					if got, want := told(l.taken()), difference(was, is); !slices.Equal(got, want) {
						l.t.Fatalf("round %d: after %q: reported %q, want %q", round, did, got, want)
					}
					was = is
				}
			})
		})
	}
}

// told are the changes of sets, with a rename as what it is made of.
func told(sets []Set) []string {
	var all []string
	for _, s := range sets {
		for _, c := range s.Changes {
			if c.Kind == Renamed {
				all = append(all, "removed "+c.From, "added "+c.Path)
			} else {
				all = append(all, c.String())
			}
		}
	}
	slices.Sort(all)
	return all
}

// seen is a file as one who reads it finds it.
type seen struct{ content, mode string }

func difference(was, is map[string]seen) []string {
	var all []string
	for path, a := range was {
		b, there := is[path]
		switch {
		case !there:
			all = append(all, "removed "+path)
		case a.content != b.content:
			all = append(all, "modified "+path)
		case a.mode != b.mode:
			all = append(all, "permissions of "+path)
		}
	}
	for path := range is {
		if _, there := was[path]; !there {
			all = append(all, "added "+path)
		}
	}
	slices.Sort(all)
	return all
}

func (l *lab) snapshot(real, at string) map[string]seen {
	l.t.Helper()
	all := map[string]seen{}
	entries, err := os.ReadDir(real)
	l.must(err)
	for _, e := range entries {
		file, path := filepath.Join(real, e.Name()), strings.TrimPrefix(at+"/"+e.Name(), "/")
		switch {
		case e.IsDir():
			add(all, l.snapshot(file, path))
		case e.Type() == fs.ModeSymlink:
			add(all, l.snapshotOfLink(file, path))
		default:
			all[path] = l.read(file, "")
		}
	}
	return all
}

func add(all, more map[string]seen) {
	for path, s := range more {
		all[path] = s
	}
}

func (l *lab) snapshotOfLink(file, path string) map[string]seen {
	text, err := os.Readlink(file)
	l.must(err)
	is := map[string]seen{path: {"link to " + text, ""}}
	target, err := filepath.EvalSymlinks(file)
	if err != nil || !strings.HasPrefix(target, l.outside) {
		return is
	}
	info, err := os.Stat(target)
	l.must(err)
	if info.IsDir() {
		add(is, l.snapshot(target, path))
	} else {
		is[path] = l.read(target, "link to "+text+": ")
	}
	return is
}

func (l *lab) read(file, prefix string) seen {
	content, err := os.ReadFile(file)
	l.must(err)
	info, err := os.Stat(file)
	l.must(err)
	return seen{prefix + string(content), info.Mode().Perm().String()}
}

// chaos does things to files of few names, so that they meet.
type chaos struct {
	l *lab
	*rand.Rand
}

func (c chaos) path() string {
	names := []string{"src", "lib", "a.py", "data", "deep"}
	path := names[c.IntN(len(names))]
	for range c.IntN(3) {
		path += "/" + names[c.IntN(len(names))]
	}
	return path
}

// act does one thing; where the file system does not let it, nothing.
func (c chaos) act() string {
	a, b := c.path(), c.path()
	at, other := c.l.at(a), c.l.at(b)
	switch c.IntN(11) {
	case 0:
		_ = os.Remove(at)
		return "remove " + a
	case 1:
		_ = os.RemoveAll(at)
		return "remove all of " + a
	case 2, 3:
		_ = os.Rename(at, other)
		return "rename " + a + " to " + b
	case 4:
		_ = os.MkdirAll(at, 0o755)
		return "mkdir " + a
	case 5:
		_ = os.Chmod(at, []os.FileMode{0o644, 0o755, 0o700}[c.IntN(3)])
		return "chmod " + a
	case 6:
		target := []string{"src", "nowhere", "../outside/in.py", c.l.outside + "/data", c.l.outside + "/data2", c.l.at("main.py")}[c.IntN(6)]
		_ = os.Symlink(target, at)
		return "link " + a + " to " + target
	default:
		_ = os.MkdirAll(filepath.Dir(at), 0o755)
		content := fmt.Sprint("content ", c.IntN(3))
		_ = os.WriteFile(at, []byte(content), 0o644)
		return "write " + a + ": " + content
	}
}
