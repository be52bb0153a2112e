// Package filter is the language in which a person chooses requests: `~c 5xx ~d >200ms`,
// `predict & !(~m GET | ~r 3)`.
//
// It is pure: Parse makes a Filter of a text, and a Filter tells of one request whether it
// is chosen. Both are safe for concurrent use.
package filter

import (
	"fmt"
	"slices"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Help is the language in one line.
const Help = "~c 5xx  ~m POST  ~u path  ~d >200ms  ~s >1Ki  ~b text  ~r 3  ~p pod  ~e  ~f  word  ! & | ( )"

// Request is one request as a filter sees it.
type Request struct {
	*event.Served
	Revision int
	Pod      string // the replica's name; empty where it is not known
	// InBody tells whether one of its bodies holds the text; nil is that none does.
	InBody func(text string, id uint64) bool
}

// Filter chooses requests. The zero value, and nil, choose all.
type Filter struct {
	root  test
	texts []string
}

// test is a part of a filter.
type test func(r *Request) bool

// Match tells whether a request is chosen.
func (f *Filter) Match(r *Request) bool { return f == nil || f.root == nil || f.root(r) }

// Texts are those that are looked for in bodies, each once.
func (f *Filter) Texts() []string {
	if f == nil {
		return nil
	}
	return f.texts
}

// Error says what is wrong with a text, and where: at the Column-th character, from 1.
type Error struct {
	Column int
	Text   string
}

func (e *Error) Error() string { return fmt.Sprintf("column %d: %s", e.Column, e.Text) }

// Parse reads a filter; a text of spaces alone chooses all. Its errors are *Error.
func Parse(text string) (*Filter, error) {
	tokens, err := scan(text)
	if err != nil {
		return nil, err
	}
	if len(tokens) == 1 { // the end
		return &Filter{}, nil
	}
	p := &parser{tokens: tokens}
	root, err := p.either(0)
	if err != nil {
		return nil, err
	}
	if t := p.tokens[p.at]; t.kind != tokenEnd {
		return nil, &Error{t.column, "there is no ( that this ) closes"}
	}
	slices.Sort(p.texts)
	return &Filter{root, slices.Compact(p.texts)}, nil
}

// deepest is how deep parentheses and ! may be nested.
const deepest = 50

// parser goes through tokens, of which the last is the end.
type parser struct {
	tokens []token
	at     int
	texts  []string
}

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != tokenEnd {
		p.at++
	}
	return t
}

// either is a | b.
func (p *parser) either(depth int) (test, error) {
	left, err := p.both(depth)
	for err == nil && p.tokens[p.at].kind == tokenOr {
		p.at++
		var right test
		if right, err = p.both(depth); err == nil {
			before := left
			left = func(r *Request) bool { return before(r) || right(r) }
		}
	}
	return left, err
}

// both is a & b; what stands side by side is that, too.
func (p *parser) both(depth int) (test, error) {
	left, err := p.one(depth)
	for err == nil {
		switch p.tokens[p.at].kind {
		case tokenAnd:
			p.at++
		case tokenEnd, tokenOr, tokenClose:
			return left, nil
		}
		var right test
		if right, err = p.one(depth); err == nil {
			before := left
			left = func(r *Request) bool { return before(r) && right(r) }
		}
	}
	return left, err
}

// one is !a, (a), a ~term, or a word.
func (p *parser) one(depth int) (test, error) {
	t := p.next()
	if depth > deepest {
		return nil, &Error{t.column, fmt.Sprintf("this is nested deeper than %d", deepest)}
	}
	switch t.kind {
	case tokenNot:
		inner, err := p.one(depth + 1)
		if err != nil {
			return nil, err
		}
		return func(r *Request) bool { return !inner(r) }, nil
	case tokenOpen:
		inner, err := p.either(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.next().kind != tokenClose {
			return nil, &Error{t.column, "this ( is not closed"}
		}
		return inner, nil
	case tokenTerm:
		return p.term(t)
	case tokenWord:
		return word(t.text), nil
	case tokenEnd:
		return nil, &Error{t.column, "something is missing here: a word, or a term such as ~c 5xx"}
	}
	return nil, &Error{t.column, fmt.Sprintf("%q has nothing before it", t.text)}
}
