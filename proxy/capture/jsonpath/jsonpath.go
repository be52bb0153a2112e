// Package jsonpath names places in JSON, for rules: what is hidden, ignored, or compared
// with a tolerance. It has no state and is safe for concurrent use.
package jsonpath

import (
	"fmt"
	"strings"
)

// Path leads to places in a JSON text, as "instances.*.email": names of members, and * for
// any member or element, and ** for any number of levels.
type Path []string

// Parse reads a path. A leading $ and [*] in the place of * are understood.
func Parse(text string) (Path, error) {
	plain := strings.TrimPrefix(strings.TrimPrefix(text, "$"), ".")
	plain = strings.ReplaceAll(plain, "[*]", ".*")
	p := Path(strings.Split(strings.TrimPrefix(plain, "."), "."))
	for _, step := range p {
		if step == "" || strings.ContainsAny(step, "[]") {
			return nil, fmt.Errorf("JSON path %q: it is names with dots between, as instances.*.email; * is any member or element, ** any number of levels", text)
		}
	}
	return p, nil
}

// Matches tells whether it leads to that place, whose steps are names of members and
// numbers of elements. It takes at most as many steps as both lengths multiplied.
func (p Path) Matches(place []string) bool {
	at, star, mark := 0, -1, 0 // the last ** stands at star, and takes what is before mark
	for i := 0; i < len(place); {
		switch {
		case at < len(p) && p[at] == "**":
			star, mark = at, i
			at++
		case at < len(p) && (p[at] == "*" || p[at] == place[i]):
			at, i = at+1, i+1
		case star >= 0:
			mark++
			at, i = star+1, mark
		default:
			return false
		}
	}
	for at < len(p) && p[at] == "**" {
		at++
	}
	return at == len(p)
}
