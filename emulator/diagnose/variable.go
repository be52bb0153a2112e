package diagnose

import (
	"regexp"
	"slices"
	"strings"
)

var (
	// A KeyError is of any mapping: it counts where the environment is named near it, or
	// the name is nearly that of a variable.
	keyError   = regexp.MustCompile(`KeyError: '([A-Z][A-Z0-9_]{2,})'`)
	environ    = regexp.MustCompile(`os\.environ|getenv|process\.env`)
	notSet     = regexp.MustCompile(`\b([A-Z][A-Z0-9_]*_[A-Z0-9_]*[A-Z0-9]|PORT)\b["'` + "`" + `]?(?: environment variable)? (?:(?i:is|was|must be|not|are) ?)+(?i:set|unset|defined|undefined|required|missing|given|empty)`)
	namedFirst = regexp.MustCompile(`(?i:environment variable|env var|unset variable|missing variable|variable)s?:? ["'` + "`" + `]?([A-Z][A-Z0-9_]{2,})\b`)
	shellUnset = regexp.MustCompile(`\b([A-Z][A-Z0-9_]{2,}): (?:unbound variable|parameter not set)`)
)

func unsetVariable(e *Evidence) (Finding, bool) {
	name := e.askedVariable()
	if name == "" || slices.Contains(e.Variables, name) {
		return no()
	}
	near := nearest(name, e.Variables)
	if near == "" {
		return e.logged("there is no variable "+name, "set it in env_vars, or as one of secrets")
	}
	return e.logged("there is no variable "+name+"; there is "+near, "read "+near+", or set "+name+" in env_vars")
}

// askedVariable is the name that the model says it lacks.
func (e *Evidence) askedVariable() string {
	for _, pattern := range []*regexp.Regexp{notSet, namedFirst, shellUnset} {
		if m, ok := find(e.Logs, pattern); ok && e.Exit != nil {
			return m[1]
		}
	}
	m, ok := find(e.Logs, keyError)
	if !ok {
		return ""
	}
	if _, named := find(e.Logs, environ); named || nearest(m[1], e.Variables) != "" {
		return m[1]
	}
	return ""
}

// nearest is the variable that shares most words with a name; empty where none shares
// half of the name's.
func nearest(name string, variables []string) string {
	words := strings.Split(name, "_")
	best, most := "", 0
	for _, v := range variables {
		if strings.ReplaceAll(v, "_", "") == strings.ReplaceAll(name, "_", "") {
			return v
		}
		theirs, shared := strings.Split(v, "_"), 0
		for _, w := range words {
			if slices.Contains(theirs, w) {
				shared++
			}
		}
		if strings.HasPrefix(v, "MERLIN_") { // deprecated
			continue
		}
		if shared > most || shared == most && shared > 0 && len(v) < len(best) {
			best, most = v, shared
		}
	}
	if 2*most < len(words) {
		return ""
	}
	return best
}
