package compare

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

var (
	errNotJSON = errors.New("it is no JSON")
	errBounds  = errors.New("it is too large or too deep to be compared by path")
)

// parseJSON reads one JSON text, or several one after the other, which are then a list.
// Beyond JSON it takes NaN, Infinity and -Infinity, as Python writes them.
func parseJSON(body []byte) (value, error) {
	if len(body) > largest {
		return value{}, errBounds
	}
	p := &parser{in: body}
	var all []value
	for p.space(); p.at < len(p.in); p.space() {
		v, err := p.value(0)
		if err != nil {
			return value{}, err
		}
		all = append(all, v)
	}
	switch len(all) {
	case 0:
		return value{}, errNotJSON
	case 1:
		return all[0], nil
	}
	return value{kind: list, items: all}, nil
}

// parser reads JSON with what the standard library's loses: numbers as they are written,
// members in their order, names that come twice, and what is nearly JSON.
type parser struct {
	in   []byte
	at   int
	made int // values
}

func (p *parser) space() {
	for p.at < len(p.in) && (p.in[p.at] == ' ' || p.in[p.at] == '\t' || p.in[p.at] == '\n' || p.in[p.at] == '\r') {
		p.at++
	}
}

// next is the byte that comes next, after white space; 0 at the end.
func (p *parser) next() byte {
	p.space()
	if p.at >= len(p.in) {
		return 0
	}
	return p.in[p.at]
}

func (p *parser) value(depth int) (value, error) {
	if p.made++; p.made > mostValues || depth > deepest {
		return value{}, errBounds
	}
	switch c := p.next(); {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.list(depth)
	case c == '"':
		s, err := p.string()
		return value{kind: text, text: s}, err
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	}
	for _, w := range words {
		if bytes.HasPrefix(p.in[p.at:], []byte(w.text)) {
			p.at += len(w.text)
			return w.value, nil
		}
	}
	return value{}, errNotJSON
}

// words are the values that are written as a word.
var words = []struct {
	text  string
	value value
}{
	{"null", value{}},
	{"true", value{kind: truth, text: "true"}},
	{"false", value{kind: truth, text: "false"}},
	{"NaN", value{kind: float, text: "NaN"}},
	{"Infinity", value{kind: float, text: "Infinity"}},
}

func (p *parser) list(depth int) (value, error) {
	v := value{kind: list}
	for p.at++; p.next() != ']'; {
		if len(v.items) > 0 {
			if p.next() != ',' {
				return v, errNotJSON
			}
			p.at++
		}
		item, err := p.value(depth + 1)
		if err != nil {
			return v, err
		}
		v.items = append(v.items, item)
	}
	p.at++
	return v, nil
}

func (p *parser) object(depth int) (value, error) {
	v := value{kind: object}
	for p.at++; p.next() != '}'; {
		if len(v.items) > 0 {
			if p.next() != ',' {
				return v, errNotJSON
			}
			p.at++
		}
		if p.next() != '"' {
			return v, errNotJSON
		}
		name, err := p.string()
		if err != nil {
			return v, err
		}
		if p.next() != ':' {
			return v, errNotJSON
		}
		p.at++
		item, err := p.value(depth + 1)
		if err != nil {
			return v, err
		}
		v.member(name, item)
	}
	p.at++
	return v, nil
}

// string reads a text. What a Go string cannot hold (half of a surrogate pair) stays as it
// is written, so that no two texts become the same.
func (p *parser) string() (string, error) {
	begin := p.at
	plain := true
	for p.at++; p.at < len(p.in); p.at++ {
		switch c := p.in[p.at]; {
		case c == '"':
			p.at++
			inner := string(p.in[begin+1 : p.at-1])
			if plain {
				return inner, nil
			}
			return unescaped(p.in[begin:p.at], inner)
		case c == '\\':
			plain = false
			p.at++
		case c < ' ':
			return "", errNotJSON
		}
	}
	return "", errNotJSON
}

func unescaped(in []byte, inner string) (string, error) {
	var out string
	if json.Unmarshal(in, &out) != nil {
		return "", errNotJSON
	}
	if strings.ContainsRune(out, utf8.RuneError) {
		return inner, nil
	}
	return out, nil
}

func (p *parser) number() (value, error) {
	begin := p.at
	if bytes.HasPrefix(p.in[p.at:], []byte("-Infinity")) {
		p.at += len("-Infinity")
		return value{kind: float, text: "-Infinity"}, nil
	}
	v := value{kind: integer}
	if p.in[p.at] == '-' {
		p.at++
	}
	if first := p.at; p.digits() == 0 || p.at-first > 1 && p.in[first] == '0' {
		return v, errNotJSON
	}
	if p.at < len(p.in) && p.in[p.at] == '.' {
		p.at++
		if v.kind = float; p.digits() == 0 {
			return v, errNotJSON
		}
	}
	if p.at < len(p.in) && (p.in[p.at] == 'e' || p.in[p.at] == 'E') {
		p.at++
		if p.at < len(p.in) && (p.in[p.at] == '+' || p.in[p.at] == '-') {
			p.at++
		}
		if v.kind = float; p.digits() == 0 {
			return v, errNotJSON
		}
	}
	v.text = string(p.in[begin:p.at])
	return v, nil
}

func (p *parser) digits() (n int) {
	for ; p.at < len(p.in) && '0' <= p.in[p.at] && p.in[p.at] <= '9'; p.at++ {
		n++
	}
	return n
}
