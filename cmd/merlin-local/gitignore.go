package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/patternmatcher"
)

// gitIgnored are the patterns of a folder's .gitignore in the form of a .dockerignore:
// what git ignores is made of the sources, and is none. What only git understands is left
// out: nothing would be watched for one such line.
func gitIgnored(dir string) []string {
	content, err := os.ReadFile(filepath.Join(dir, ".gitignore"))
	if err != nil {
		return nil
	}
	var patterns []string
	for line := range strings.Lines(strings.TrimPrefix(string(content), "\ufeff")) {
		if p := fromGit(strings.TrimSuffix(line, "\n")); p != "" && understood(p) {
			patterns = append(patterns, p)
		}
	}
	return patterns
}

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
