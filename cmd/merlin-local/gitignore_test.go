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

// A .gitignore holds for its folder, and an inner one goes before an outer one.
func TestAGitignoreBelowTheRepoHoldsForItsFolder(t *testing.T) {
	dir := t.TempDir()
	for path, content := range map[string]string{
		".gitignore":                "*.log\nvendor/\n",
		"iris/.gitignore":           "bin/\n/data\n!keep.log\n",
		"iris/deep/er/.gitignore":   "*.tmp\n",
		"odd [a]*/.gitignore":       "/out\n",
		"vendor/lib/.gitignore":     "*\n!everything\n",
		".git/modules/x/.gitignore": "*\n",
	} {
		check(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o755))
		check(t, os.WriteFile(filepath.Join(dir, path), []byte(content), 0o644))
	}
	patterns := gitIgnored(dir)
	matcher, err := patternmatcher.New(patterns)
	check(t, err)
	for path, want := range map[string]bool{
		"iris/bin/server": true, "iris/pkg/bin/server": true, "eta/bin/server": false, "bin/server": false,
		"iris/data/x": true, "iris/pkg/data/x": false, "data/x": false,
		"a.log": true, "iris/a.log": true, "iris/keep.log": false, "keep.log": true,
		"iris/deep/er/a.tmp": true, "iris/deep/er/st/a.tmp": true, "iris/deep/a.tmp": false,
		"odd [a]*/out": true, "odd a/out": false, "vendor/lib/x.go": true, "app.py": false,
	} {
		if got, err := matcher.MatchesOrParentMatches(path); err != nil || got != want {
			t.Errorf("%s is left out: %t, %v; want %t", path, got, err, want)
		}
	}
	if slices.Contains(patterns, "vendor/lib/**/*") || slices.Contains(patterns, ".git/modules/x/**/*") {
		t.Errorf("folders were looked into that git does not look into: %q", patterns)
	}
}
