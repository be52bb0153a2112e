package config

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// form is what a key's value may be; several forms may be allowed.
type form uint

const (
	formText form = 1 << iota
	formInteger
	formNumber
	formSeconds // an integer, or a Go duration
	formKeys    // a mapping of the keys that are listed
	formTable   // a mapping of any keys
	formList

	formScalar = formText | formInteger | formNumber | formSeconds
)

// spec is what is known of a value: the check of a file and the JSON Schema are
// both made from it, so that they cannot differ.
type spec struct {
	form     form
	doc      string
	def      any // the default as the schema shows it
	rule     *rule
	options  []string
	least    *bound
	most     *bound
	keys     []key  // of formKeys
	names    *rule  // of a formTable's keys
	each     *spec  // of a formTable's values
	items    *spec  // of formList
	atLeast  int    // items
	atMost   int    // items; 0 is no limit
	hint     string // added where the shape is wrong
	required bool
}

type key struct {
	name string
	spec spec
}

// bound is a limit of a number.
type bound struct {
	value     float64
	exclusive bool
}

// rule is what a text must be.
type rule struct {
	pattern string
	longest int // characters; 0 is no limit
	want    string
	valid   func(string) bool // what a pattern cannot say; nil where it says all
}

func (r *rule) accepts(text string) bool {
	if r == nil {
		return true
	}
	if r.longest > 0 && utf8.RuneCountInString(text) > r.longest {
		return false
	}
	return regexp.MustCompile(r.pattern).MatchString(text) && (r.valid == nil || r.valid(text))
}

func (s *spec) key(name string) *spec {
	for i := range s.keys {
		if s.keys[i].name == name {
			return &s.keys[i].spec
		}
	}
	return nil
}

func (s *spec) keyNames() []string {
	names := make([]string, len(s.keys))
	for i, k := range s.keys {
		names[i] = k.name
	}
	return names
}

// home is the path of the mapping that a key belongs to, for keys that were
// written one level too high.
func (s *spec) home(name string) string {
	for _, k := range s.keys {
		inner := &k.spec
		if inner.form&formList != 0 && inner.items != nil {
			inner = inner.items
		}
		if inner.key(name) != nil {
			return k.name
		}
	}
	return ""
}

// String says which forms are allowed.
func (f form) String() string {
	words := []struct {
		form form
		word string
	}{
		{formText, "text"},
		{formInteger, "a whole number"},
		{formNumber, "a number"},
		{formSeconds, "seconds (90) or a duration (1m30s)"},
		{formKeys, "a mapping"},
		{formTable, "a mapping"},
		{formList, "a list"},
	}
	var allowed []string
	for _, w := range words {
		if f&w.form != 0 {
			allowed = append(allowed, w.word)
		}
	}
	return strings.Join(allowed, " or ")
}
