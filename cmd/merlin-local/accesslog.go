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
	file, err := os.OpenFile(accessLogPath(name, dir), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("--access-log: %w", err)
	}
	return file, func() { _ = file.Close() }, nil
}

// accessLogPath is the file that --access-log names; empty where it names none.
func accessLogPath(name, dir string) string {
	if name == "-" {
		return ""
	}
	return inRepo(name, dir)
}

// inRepo is the file that a flag names, from the repo's folder; empty where it names none.
func inRepo(name, dir string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}
