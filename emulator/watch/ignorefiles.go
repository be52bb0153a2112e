package watch

import (
	"path/filepath"
	"slices"

	"github.com/moby/patternmatcher"
)

// ruleFiles are the paths whose change is a change of the rules.
func (t *tree) ruleFiles() []string {
	if t.options.Dockerfile == "" {
		return nil
	}
	files := []string{ignoreName}
	if t.beside != nil {
		return append(files, t.beside.child(filepath.Base(t.options.Dockerfile)+ignoreName))
	}
	return append(files, within(t.options.Root, t.options.Dockerfile+ignoreName))
}

// besideNames are the files that are looked at outside of the root.
func (t *tree) besideNames() map[string]bool {
	name := filepath.Base(t.options.Dockerfile)
	return map[string]bool{name: true, name + ignoreName: true}
}

// reread reads the rules, and says whether they are others than before. Those that
// cannot be understood change nothing: a build of them fails, and says so too.
func (t *tree) reread() bool {
	is, err := readRules(t.options, t.options.Root)
	if err != nil {
		meanwhile := "the patterns from before stay"
		if t.rules.matcher == nil {
			meanwhile = "it leaves nothing out"
			is.matcher, _ = newMatcher(t.options.Ignore) // New has checked these
			t.rules = is
		}
		t.notice(Notice{BadPattern, "", "the ignore file is not understood, so " + meanwhile + ": " + err.Error()})
		return false
	}
	samePattern := func(a, b *patternmatcher.Pattern) bool {
		return a.String() == b.String() && a.Exclusion() == b.Exclusion()
	}
	same := t.rules.matcher != nil && slices.EqualFunc(is.matcher.Patterns(), t.rules.matcher.Patterns(), samePattern)
	if same {
		return false
	}
	t.rules = is
	t.top.verdict = verdict{}
	t.top.walk(func(f *folder) { clear(f.ignored) })
	return true
}
