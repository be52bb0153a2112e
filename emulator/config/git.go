package config

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"time"
)

// GitState is whether git keeps its hands off a file.
type GitState int

// What git says of a file; GitUnknown is also no git, or no work tree.
const (
	GitUnknown GitState = iota
	GitIgnored
	GitNotIgnored
)

// gitPatience is for one look at a few ignore files.
const gitPatience = 2 * time.Second

// GitIgnores asks git whether it ignores a file, for a warning before a file of
// secrets is committed.
func GitIgnores(ctx context.Context, path string) GitState {
	ctx, cancel := context.WithTimeout(ctx, gitPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", "check-ignore", "--quiet", "--", filepath.Base(path))
	cmd.Dir = filepath.Dir(path)
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return GitIgnored
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		return GitNotIgnored
	}
	return GitUnknown
}
