// Package config turns merlin-local.yaml, flags and defaults into emulator.Models.
//
// The file is read as a tree that keeps the text and the place of every value, is
// checked against one table of keys (keys.go), and only then given its meaning.
// So a value is what was written (1.10 stays 1.10), and every mistake of a file
// is told at once with its line and column. JSON is accepted, as YAML contains it.
//
// FromManifests is the way into such a file from what runs in a cluster, and YAML the
// writer for both.
//
// To add a key: a line in keys.go, from which the check and the JSON Schema come,
// and a line in decode.go. Nothing here is kept between calls; a File belongs to
// one goroutine.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator"
)

// FileName is what a model repo's configuration is called.
const FileName = "merlin-local.yaml"

// Options says what to load.
type Options struct {
	// Dir is the folder that a person stands in: FileName is looked for there, and
	// the flags' paths are relative to it. Empty is the working directory.
	Dir string
	// Path is a file asked for by name; empty takes FileName in Dir if it exists.
	Path      string
	Overrides Overrides
}

// File is a configuration that was loaded, from a file or from defaults alone.
type File struct {
	Path string // absolute; empty where there is no file
	Dir  string // absolute: the file's folder, to which its paths are relative
	Port int    // 0 where none was given
	// Capture says how requests are kept.
	Capture Capture
	Models  []emulator.Model
	// Compare are the rules for answers, of each of Models.
	Compare []Compare

	name  string // Path as errors show it
	trees []*node
}

// Load reads the configuration and checks all of it. What is wrong in it comes
// back as Errors; a file that cannot be read as any other error.
func Load(o Options) (*File, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("find the folder of the configuration: %w", err)
	}
	o.Dir = dir
	f, src, err := open(o)
	if err != nil {
		return nil, err
	}
	if err := f.load(src, o); err != nil {
		return nil, err
	}
	return f, nil
}

func open(o Options) (*File, []byte, error) {
	path := filepath.Join(o.Dir, FileName)
	if o.Path != "" {
		path = absolute(o.Dir, o.Path)
	}
	src, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && o.Path == "" {
		return &File{Dir: o.Dir}, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read the configuration: %w", err)
	}
	return &File{Path: path, Dir: filepath.Dir(path), name: display(o.Dir, path)}, src, nil
}

// load fills f from src. It reports what is wrong in several passes, of which each
// skips the values that an earlier one found fault with.
func (f *File) load(src []byte, o Options) error {
	report := &report{file: f.name}
	root, ok := f.root(src, report)
	if !ok {
		return report.err()
	}
	flags := o.Overrides.tree(o.Dir)
	check(root, rootSpec(root), report)
	check(flags, modelSpec(withPort), report)

	f.Port = overlay(root, flags).integer("port", 0)
	f.Capture = capture(root)
	f.trees = modelTrees(root, flags, report)
	f.decode(decoder{dir: f.Dir, name: defaultModel(f, o), report: report}, root.lookup("models") != nil)
	checkSession(f, report)
	return report.err()
}

func (f *File) decode(d decoder, several bool) {
	f.Models, f.Compare = make([]emulator.Model, len(f.trees)), make([]Compare, len(f.trees))
	for i, tree := range f.trees {
		if several {
			d.path = modelPath(i)
		}
		if !tree.bad {
			f.Models[i], f.Compare[i] = d.model(tree), compare(tree.get("compare"))
		}
	}
}

// root is an empty mapping where there is no file, or nothing in it.
func (f *File) root(src []byte, report *report) (*node, bool) {
	if f.Path == "" {
		return &node{shape: mapping}, true
	}
	root, ok := parse(src, report)
	if ok && (root == nil || root.null) {
		return &node{shape: mapping, at: start()}, true
	}
	return root, ok
}

// absolute resolves a path as it is written in a file or flag.
func absolute(dir, path string) string {
	path = filepath.FromSlash(path)
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

// display shortens a path that is inside dir.
func display(dir, path string) string {
	short, err := filepath.Rel(dir, path)
	if err != nil || strings.HasPrefix(short, "..") {
		return path
	}
	return short
}
