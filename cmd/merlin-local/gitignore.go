package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
)

// gitIgnored are the patterns of a folder's .gitignore in the form of a .dockerignore:
// what git ignores is made of the sources, and is none.
func gitIgnored(dir string) []string {
	file, err := os.Open(filepath.Join(dir, ".gitignore"))
	if err != nil {
		return nil
	}
	defer file.Close()
	var patterns []string
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if p := fromGit(lines.Text()); p != "" {
			patterns = append(patterns, p)
		}
	}
	return patterns
}

// fromGit turns one line over: git matches a name without a slash at any depth.
func fromGit(line string) string {
	pattern := strings.TrimRight(line, " \t\r")
	if pattern == "" || strings.HasPrefix(pattern, "#") {
		return ""
	}
	pattern, taken := strings.CutPrefix(pattern, "!")
	pattern = strings.TrimPrefix(pattern, `\`)
	pattern = strings.TrimSuffix(pattern, "/")
	if !strings.Contains(pattern, "/") {
		pattern = "**/" + pattern
	}
	pattern = strings.TrimPrefix(pattern, "/")
	if taken {
		return "!" + pattern
	}
	return pattern
}
