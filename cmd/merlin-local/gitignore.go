package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/patternmatcher"
)

// gitIgnored are the patterns of a folder's .gitignore, and of those in folders below it,
// in the form of a .dockerignore: what git ignores is made of the sources, and is none. A
// folder that is ignored is not looked into, as git does not either. What only git
// understands is left out: nothing would be watched for one such line.
func gitIgnored(dir string) []string {
	var g gitRules
	g.read(dir, "")
	return g.patterns
}

// gitRules are the patterns read so far; those of an inner folder come after, and so
// before, those of the outer ones.
type gitRules struct {
	patterns []string
	matcher  *patternmatcher.PatternMatcher
}

// read adds the patterns of the folder at that path below the root, and of those in it.
func (g *gitRules) read(dir, path string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // the watcher says so
	}
	g.add(filepath.Join(dir, ".gitignore"), path)
	for _, entry := range entries {
		inner := path + entry.Name()
		if entry.IsDir() && entry.Name() != ".git" && !g.ignore(inner) {
			g.read(filepath.Join(dir, entry.Name()), inner+"/")
		}
	}
}

// add reads one .gitignore; its patterns hold below its folder.
func (g *gitRules) add(file, path string) {
	content, err := os.ReadFile(file)
	if err != nil {
		return
	}
	for line := range strings.Lines(strings.TrimPrefix(string(content), "\ufeff")) {
		p, taken := strings.CutPrefix(fromGit(strings.TrimSuffix(line, "\n")), "!")
		if p == "" {
			continue
		}
		if p = literally.Replace(path) + p; taken {
			p = "!" + p
		}
		if understood(p) {
			g.patterns = append(g.patterns, p)
		}
	}
	g.matcher, _ = patternmatcher.New(g.patterns) // each is understood
}

func (g *gitRules) ignore(path string) bool {
	if g.matcher == nil {
		return false
	}
	ignored, err := g.matcher.MatchesOrParentMatches(path)
	return err == nil && ignored
}

// literally makes of a path a pattern of itself.
var literally = strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`)

// understood tells whether an ignore file may have a pattern.
func understood(pattern string) bool {
	matcher, err := patternmatcher.New([]string{pattern})
	if err != nil {
		return false
	}
	_, err = matcher.MatchesOrParentMatches("x") // a pattern is compiled only then
	return err == nil
}

// fromGit turns one line over: git matches a name without a slash at any depth.
func fromGit(line string) string {
	line = strings.TrimSuffix(line, "\r")
	pattern := strings.TrimRight(line, " \t")
	if strings.HasSuffix(pattern, `\`) && len(pattern) < len(line) { // an escaped space is part of the name
		pattern = line[:len(pattern)+1]
	}
	if strings.HasPrefix(pattern, "#") {
		return ""
	}
	pattern, taken := strings.CutPrefix(pattern, "!")
	if !taken && (strings.HasPrefix(pattern, `\#`) || strings.HasPrefix(pattern, `\!`)) {
		pattern = pattern[1:]
	}
	pattern = strings.TrimSuffix(pattern, "/")
	if strings.Trim(pattern, "/") == "" {
		return ""
	}
	if !strings.Contains(pattern, "/") {
		pattern = "**/" + pattern
	}
	pattern = strings.TrimPrefix(pattern, "/")
	if taken {
		return "!" + pattern
	}
	return pattern
}
