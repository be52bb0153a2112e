package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// openAccessLog opens what --access-log names: a file, to which lines are added, or
// "-" for standard error. Without a name there is none.
func openAccessLog(name, dir string) (log io.Writer, closeLog func(), err error) {
	switch name {
	case "":
		return nil, func() {}, nil
	case "-":
		return os.Stderr, func() {}, nil
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("--access-log: %w", err)
	}
	return file, func() { _ = file.Close() }, nil
}
