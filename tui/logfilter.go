package tui

import (
	"fmt"
	"regexp"
	"strings"
)

// pattern finds a text, in which case counts only where the pattern has capitals, or a
// regular expression. Its zero value finds nothing.
type pattern struct {
	word string // without capitals where fold
	fold bool
	re   *regexp.Regexp
}

// newPattern reads a word, or a regular expression between slashes.
func newPattern(text string) (pattern, error) {
	if inner, is := slashed(text); is {
		re, err := regexp.Compile(inner)
		if err != nil {
			return pattern{}, fmt.Errorf("%s: %s", text, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
		return pattern{re: re}, nil
	}
	lower := strings.ToLower(text)
	return pattern{word: text, fold: lower == text}, nil
}

func slashed(text string) (inner string, is bool) {
	if len(text) < 2 || text[0] != '/' || text[len(text)-1] != '/' {
		return "", false
	}
	return text[1 : len(text)-1], true
}

// in tells whether the text has a match.
func (p *pattern) in(text string) bool {
	if p.re != nil {
		return p.re.MatchString(text)
	}
	start, _ := p.find(text)
	return start >= 0
}

// within tells that what a line of JSON shows has a match only where the line itself has
// one: a word of one piece, and nothing in the line is written otherwise than it is shown.
func (p *pattern) within(json string) bool {
	return p.re == nil && !strings.ContainsAny(p.word, ` =:"\`) && strings.IndexByte(json, '\\') < 0
}

// find is the first match of a word; start is below 0 where there is none.
func (p *pattern) find(text string) (start, end int) {
	if p.word == "" {
		return -1, -1
	}
	if !p.fold {
		at := strings.Index(text, p.word)
		return at, at + len(p.word)
	}
	return indexFold(text, p.word)
}

// all are the matches in a text, that are not empty.
func (p *pattern) all(text string) (found [][]int) {
	if p.re != nil {
		for _, m := range p.re.FindAllStringIndex(text, -1) {
			if m[0] < m[1] {
				found = append(found, m)
			}
		}
		return found
	}
	for from := 0; ; {
		start, end := p.find(text[from:])
		if start < 0 {
			return found
		}
		found = append(found, []int{from + start, from + end})
		from += end
	}
}

// indexFold is strings.Index where the word has no capitals and the text's do not count.
func indexFold(text, word string) (start, end int) {
	for i := range len(word) {
		if word[i] >= 0x80 { // beyond ASCII letters change their length with their case
			lower := strings.ToLower(text)
			if len(lower) != len(text) {
				at := strings.Index(text, word)
				return at, at + len(word)
			}
			at := strings.Index(lower, word)
			return at, at + len(word)
		}
	}
	first := word[0]
	for i := 0; i+len(word) <= len(text); i++ {
		if lowerByte(text[i]) == first && equalFold(text[i:i+len(word)], word) {
			return i, i + len(word)
		}
	}
	return -1, -1
}

func lowerByte(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func equalFold(text, lower string) bool {
	for i := range len(lower) {
		if lowerByte(text[i]) != lower[i] {
			return false
		}
	}
	return true
}

// logFilter chooses records: all of its terms hold of those that are shown.
type logFilter struct {
	text  string
	terms []logTerm
}

// logTerm is one condition; not turns it around.
type logTerm struct {
	not     bool
	pattern pattern
	source  string // the beginning of a source's name, where it is a term of that kind
	compare string // of the level: "", or one of =, >=, >, <=, <
	level   level
}

const logFilterHelp = `word !word "two words" /regexp/ level>=warn source:build`

// newLogFilter reads a filter: terms with spaces between.
func newLogFilter(text string) (logFilter, error) {
	f := logFilter{text: strings.TrimSpace(text)}
	for rest := f.text; rest != ""; rest = strings.TrimLeft(rest, " ") {
		var term logTerm
		if rest, term.not = strings.CutPrefix(rest, "!"); rest == "" || rest[0] == ' ' {
			return logFilter{}, fmt.Errorf("! stands before what must not be there: !health")
		}
		word, after := cutTerm(rest)
		if err := term.read(word); err != nil {
			return logFilter{}, err
		}
		f.terms, rest = append(f.terms, term), after
	}
	return f, nil
}

// cutTerm parts the first term from the rest; quotes and slashes keep spaces in it.
func cutTerm(text string) (word, rest string) {
	if text[0] == '"' || text[0] == '/' {
		for i := 1; i < len(text); i++ {
			if text[i] == text[0] && text[i-1] != '\\' && (i+1 == len(text) || text[i+1] == ' ') {
				return text[:i+1], text[i+1:]
			}
		}
		if text[0] == '"' { // it is being typed
			return text, ""
		}
	}
	if at := strings.IndexByte(text, ' '); at >= 0 {
		return text[:at], text[at:]
	}
	return text, ""
}

func (t *logTerm) read(word string) (err error) {
	if source, is := strings.CutPrefix(word, "source:"); is {
		if source == "" {
			return fmt.Errorf("source: wants a name: build, or a pod's or container's first letters")
		}
		t.source = source
		return nil
	}
	if rest, is := strings.CutPrefix(word, "level"); is && rest != "" && strings.ContainsRune("<>=:", rune(rest[0])) {
		return t.readLevel(rest)
	}
	if word[0] == '"' {
		word = strings.TrimSuffix(word[1:], `"`)
	}
	t.pattern, err = newPattern(word)
	return err
}

func (t *logTerm) readLevel(text string) error {
	name := strings.TrimLeft(text, "<>=:")
	t.compare = text[:len(text)-len(name)]
	switch t.compare {
	case "=", ":", "==":
		t.compare = "="
	case ">=", ">", "<=", "<":
	default:
		return fmt.Errorf("level%s: it is level=, level>=, level>, level<= or level<", t.compare)
	}
	if t.level = levelWord(name); t.level == noLevel && name != "none" {
		return fmt.Errorf("level %q: it is one of %s", name, strings.Join(levelNames[:], ", "))
	}
	return nil
}

// filtered is what a filter looks at: a record.
type filtered interface {
	logLevel() level
	from(source string) bool
	has(p *pattern) bool
}

// passes tells whether all terms hold.
func (f *logFilter) passes(r filtered) bool {
	for i := range f.terms {
		if t := &f.terms[i]; t.holds(r) == t.not {
			return false
		}
	}
	return true
}

func (t *logTerm) holds(r filtered) bool {
	switch {
	case t.source != "":
		return r.from(t.source)
	case t.compare != "":
		return t.holdsLevel(r.logLevel())
	case t.pattern.re == nil && t.pattern.word == "":
		return !t.not // a quotation that is being typed
	}
	return r.has(&t.pattern)
}

// holdsLevel compares levels; a line that says none is no more and no less than any.
func (t *logTerm) holdsLevel(l level) bool {
	switch {
	case t.compare == "=":
		return l == t.level
	case l == noLevel || t.level == noLevel:
		return false
	case t.compare == ">=":
		return l >= t.level
	case t.compare == ">":
		return l > t.level
	case t.compare == "<=":
		return l <= t.level
	}
	return l < t.level
}
