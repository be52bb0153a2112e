package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/control"
)

// location says which model repo a command is about.
type location struct {
	dir  string // as if the command had been started there
	file string // merlin-local.yaml under another name
}

func (l *location) flags(root *cobra.Command) {
	flags := root.PersistentFlags()
	flags.StringVarP(&l.dir, "dir", "C", "", "model repo (default: the current folder)")
	flags.StringVar(&l.file, "file", "", "configuration (default: merlin-local.yaml in the model repo)")
}

// repo is the model repo's folder, and the configuration where one is named: then its
// folder is the repo.
func (l *location) repo() (dir, path string, err error) {
	dir, err = filepath.Abs(l.dir)
	if err != nil {
		return "", "", err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return "", "", usageError{fmt.Errorf("--dir %s is no folder", l.dir)}
	}
	if l.file == "" {
		return dir, "", nil
	}
	path = l.file
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return filepath.Dir(path), path, nil
}

// named is the file that an argument names, as from --dir.
func (l *location) named(path string) string {
	if path == "-" { // standard input
		return path
	}
	return inRepo(path, l.dir)
}

// session is the repo's session, whether or not it runs.
func (l *location) session() (control.Session, error) {
	dir, _, err := l.repo()
	if err != nil {
		return control.Session{}, err
	}
	return control.FindHome().Session(dir), nil
}
