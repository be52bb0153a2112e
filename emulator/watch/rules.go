package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

const ignoreName = ".dockerignore"

// rules say which paths are of interest. They are those of a build context, where the
// root is one, then the caller's own.
type rules struct {
	matcher *patternmatcher.PatternMatcher
	// kept are of interest whatever a pattern says: the builder reads them itself.
	kept []string
	// hidden is a folder of our own below the root; empty where it is outside.
	hidden string
}

// readRules reads the ignore file that BuildKit would: the one named for the
// Dockerfile, even an empty one, before that of the context.
func readRules(o Options, root string) (rules, error) {
	r := rules{hidden: within(root, o.Cache)}
	var patterns []string
	if o.Dockerfile != "" {
		for _, file := range []string{o.Dockerfile, o.Dockerfile + ignoreName, filepath.Join(root, ignoreName)} {
			if inside := within(root, file); inside != "" {
				r.kept = append(r.kept, inside)
			}
		}
		var err error
		if patterns, err = readIgnoreFile(o.Dockerfile + ignoreName); errors.Is(err, fs.ErrNotExist) {
			patterns, err = readIgnoreFile(filepath.Join(root, ignoreName))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return r, err
		}
	}
	matcher, err := newMatcher(append(patterns, o.Ignore...))
	r.matcher = matcher
	return r, err
}

func readIgnoreFile(file string) ([]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	patterns, err := ignorefile.ReadAll(f)
	if err == nil {
		_, err = newMatcher(patterns)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return patterns, nil
}

// newMatcher matches once, because a pattern is compiled, and may be refused, only then.
func newMatcher(patterns []string) (*patternmatcher.PatternMatcher, error) {
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, err
	}
	_, err = matcher.MatchesOrParentMatches("x")
	return matcher, err
}

// within is file relative to root with slashes; empty where it is not below it.
func within(root, file string) string {
	if file == "" {
		return ""
	}
	inside, err := filepath.Rel(root, file)
	if err != nil || !filepath.IsLocal(inside) || inside == "." {
		return ""
	}
	return filepath.ToSlash(inside)
}

// verdict is what the patterns say of a folder, for the use of what is in it.
type verdict struct {
	info    patternmatcher.MatchInfo
	ignored bool
}

// judge says what the rules say of a path, given the verdict on its folder.
func (r *rules) judge(file string, parent verdict) verdict {
	if neverWatched(path.Base(file)) || file == r.hidden {
		return verdict{ignored: !slices.Contains(r.kept, file)}
	}
	ignored, info, err := r.matcher.MatchesUsingParentResults(file, parent.info)
	if err != nil {
		ignored = parent.ignored
	}
	return verdict{info, ignored && !slices.Contains(r.kept, file)}
}

// enters says whether something below a folder may be of interest.
func (r *rules) enters(folder string, v verdict) bool {
	switch {
	case neverWatched(path.Base(folder)), folder == r.hidden:
		return false
	case !v.ignored:
		return true
	}
	if slices.ContainsFunc(r.kept, func(k string) bool { return strings.HasPrefix(k, folder+"/") }) {
		return true
	}
	return slices.ContainsFunc(r.matcher.Patterns(), func(p *patternmatcher.Pattern) bool {
		return p.Exclusion() && reaches(filepath.ToSlash(p.String()), folder)
	})
}

// reaches says whether a negated pattern can match below a folder that itself is
// ignored. One that is no longer than the folder's path cannot: it has been overruled.
func reaches(pattern, folder string) bool {
	parts, names := strings.Split(pattern, "/"), strings.Split(folder, "/")
	for i, part := range parts {
		switch {
		case strings.Contains(part, "**"):
			return true
		case i == len(names):
			return true
		}
		if matches, err := path.Match(part, names[i]); err == nil && !matches {
			return false
		}
	}
	return false
}
