//go:build unix

package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/moby/patternmatcher"
)

func TestALineOfAGitignoreIsTurnedIntoOneOfADockerignore(t *testing.T) {
	for line, want := range map[string]string{
		"":              "",
		"   ":           "",
		"# a comment":   "",
		`\#notes`:       "**/#notes",
		"*.log":         "**/*.log",
		"*.log  ":       "**/*.log",
		"*.log\r":       "**/*.log",
		"build/":        "**/build",
		"/bin":          "bin",
		"/bin/":         "bin",
		"docs/out":      "docs/out",
		"docs/out/":     "docs/out",
		"**/cache":      "**/cache",
		"a/**":          "a/**",
		"!keep.log":     "!**/keep.log",
		"!/bin/keep":    "!bin/keep",
		`\!important`:   "**/!important",
		"!":             "",
		"/":             "",
		"name with one": "**/name with one",
		`trailing\ `:    `**/trailing\ `,
	} {
		if got := fromGit(line); got != want {
			t.Errorf("%q becomes %q, want %q", line, got, want)
		}
	}
}

// What git and the watcher leave out is the same.
func TestWhatGitIgnoresIsNotWatched(t *testing.T) {
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("\ufeff# made\n*.pyc\nbuild/\n/bin\n*.log\n!keep.log\nout/*.txt\n!\n[\n"), 0o644))
	patterns := gitIgnored(dir)
	matcher, err := patternmatcher.New(patterns)
	check(t, err)
	for path, want := range map[string]bool{
		"app.py": false, "app.pyc": true, "pkg/a.pyc": true, "build/x": true, "pkg/build/x": true, "bin/server": true,
		"pkg/bin/server": false, "a.log": true, "pkg/a.log": true, "keep.log": false, "pkg/keep.log": false,
		"out/a.txt": true, "pkg/out/a.txt": false,
	} {
		if got, err := matcher.MatchesOrParentMatches(path); err != nil || got != want {
			t.Errorf("%s is left out: %t, %v; want %t", path, got, err, want)
		}
	}
}

func TestAFolderWithoutAGitignoreHasNoPatterns(t *testing.T) {
	if got := gitIgnored(t.TempDir()); got != nil {
		t.Errorf("patterns are %q", got)
	}
}

// A line longer than others is no end of the file.
func TestALongLineHidesNoOther(t *testing.T) {
	dir := t.TempDir()
	long := "# " + string(slices.Repeat([]byte("x"), 100_000))
	check(t, os.WriteFile(filepath.Join(dir, ".gitignore"), []byte(long+"\n*.log\n"), 0o644))
	if got := gitIgnored(dir); !slices.Equal(got, []string{"**/*.log"}) {
		t.Errorf("patterns are %q", got)
	}
}
