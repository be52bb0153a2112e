package capture

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/caraml-dev/merlin-local/proxy/capture/jsonpath"
)

// Hidden stands where a value was that is not kept.
const Hidden = "***"

// The names whose values are always hidden, in lower case.
var (
	secretHeaders = []string{"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"}
	secretQueries = []string{"access_token", "api_key", "apikey", "key", "password", "secret", "token"}
)

// shortestSecret is the length from which a secret's value is hidden wherever it stands.
// What is shorter could be part of any word.
const shortestSecret = 4

// rules hide what is not to be kept.
type rules struct {
	headers map[string]bool // by name in lower case
	lengths uint64          // a bit for every length that a name has
	queries map[string]bool
	json    []jsonpath.Path
	secrets [][]byte // the longest first
}

// longestHeader is how long a name may be that a rule hides.
const longestHeader = 63

func newRules(o Options) (rules, error) {
	r := rules{headers: map[string]bool{}, queries: map[string]bool{}}
	for _, name := range append(slices.Clone(secretHeaders), o.Headers...) {
		if name == "" || len(name) > longestHeader {
			return r, fmt.Errorf("capture: header %q: a name has 1 to %d bytes", name, longestHeader)
		}
		r.headers[strings.ToLower(name)] = true
		r.lengths |= 1 << len(name)
	}
	for _, name := range secretQueries {
		r.queries[name] = true
	}
	for _, text := range o.JSON {
		p, err := jsonpath.Parse(text)
		if err != nil {
			return r, fmt.Errorf("capture: %w", err)
		}
		r.json = append(r.json, p)
	}
	return r.withSecrets(o.Secrets), nil
}

// withSecrets are the rules with more secrets.
func (r *rules) withSecrets(secrets []string) rules {
	more := *r
	more.secrets = slices.Concat(r.secrets, forms(secrets))
	slices.SortFunc(more.secrets, func(a, b []byte) int { return cmp.Or(len(b)-len(a), bytes.Compare(a, b)) }) // one may hold another
	more.secrets = slices.CompactFunc(more.secrets, bytes.Equal)
	return more
}

// forms are the texts that a secret's value is found by: itself, each of its lines, and as
// JSON and a URL write it.
func forms(secrets []string) [][]byte {
	var texts []string
	for _, value := range secrets {
		quoted, _ := json.Marshal(value) // a text can always be written
		whole := []string{value, string(quoted[1 : len(quoted)-1]), url.QueryEscape(value), url.PathEscape(value)}
		for _, text := range append(strings.Split(value, "\n"), whole...) {
			if text = strings.TrimSpace(text); len(text) >= shortestSecret {
				texts = append(texts, text)
			}
		}
	}
	all := make([][]byte, len(texts))
	for i, text := range texts {
		all[i] = []byte(text)
	}
	return all
}

// longest is the length of the longest secret.
func (r *rules) longest() int {
	if len(r.secrets) == 0 {
		return 0
	}
	return len(r.secrets[0])
}

// cover hides secrets in place: every byte becomes a star, so that lengths and framings
// stay true.
func (r *rules) cover(p []byte) (covered bool) {
	for _, secret := range r.secrets {
		for from := 0; ; {
			at := bytes.Index(p[from:], secret)
			if at < 0 {
				break
			}
			from += at
			for i := range secret {
				p[from+i] = '*'
			}
			covered = true
		}
	}
	return covered
}

// holds tells whether a text has a secret in it.
func (r *rules) holds(p []byte) bool {
	return slices.ContainsFunc(r.secrets, func(secret []byte) bool { return bytes.Contains(p, secret) })
}

// hides tells whether a header's value is not to be kept.
func (r *rules) hides(name []byte) bool {
	if len(name) > longestHeader || r.lengths&(1<<len(name)) == 0 {
		return false
	}
	var lower [longestHeader]byte
	for i, b := range name {
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		lower[i] = b
	}
	return r.headers[string(lower[:len(name)])]
}

// lines yields header lines as they may be kept, in as few pieces as that takes. A piece
// is good until the next one.
func (r *rules) lines(lines []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		if len(r.secrets) > 0 && r.holds(lines) {
			lines = bytes.Clone(lines)
			r.cover(lines)
		}
		kept := 0 // where what is to be yielded begins
		for at := 0; at < len(lines); {
			end := bytes.IndexByte(lines[at:], '\n')
			if end < 0 {
				end = len(lines) - at - 1
			}
			line := lines[at : at+end+1]
			if colon := bytes.IndexByte(line, ':'); colon > 0 && r.hides(line[:colon]) {
				if !yield(lines[kept:at+colon]) || !yield([]byte(": "+Hidden+"\r\n")) {
					return
				}
				kept = at + len(line)
			}
			at += len(line)
		}
		if kept < len(lines) {
			yield(lines[kept:])
		}
	}
}

// query hides the values of parameters that name a secret.
func (r *rules) query(query string) string {
	if query == "" || query == "?" {
		return query
	}
	parts := strings.Split(query[1:], "&")
	for i, part := range parts {
		name, _, _ := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(name); err == nil && r.queries[strings.ToLower(plain)] {
			parts[i] = name + "=" + Hidden
		}
	}
	return r.text(query[:1] + strings.Join(parts, "&"))
}

// text hides secrets in a text.
func (r *rules) text(text string) string {
	if len(r.secrets) == 0 || text == "" {
		return text
	}
	covered := []byte(text)
	if r.cover(covered) {
		return string(covered)
	}
	return text
}
