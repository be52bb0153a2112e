package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// maxDepth bounds how deep a manifest's values are nested.
const maxDepth = 200

// jsonTrees reads JSON values that follow each other, with their places. YAML's parser
// could read most of them, but not JSON's pairs of escapes for one letter.
func jsonTrees(src []byte) ([]*node, error) {
	r := &jsonReader{src: src, at: start()}
	r.decoder = json.NewDecoder(bytes.NewReader(src))
	r.decoder.UseNumber()
	var trees []*node
	for {
		tree, err := r.value(0)
		if errors.Is(err, io.EOF) {
			return trees, nil
		}
		if err != nil {
			return nil, r.failure(err)
		}
		trees = append(trees, tree)
	}
}

type jsonReader struct {
	src     []byte
	decoder *json.Decoder
	read    int   // the offset that at is the place of
	at      place // of the next byte that is not read
}

// jsonError is where JSON is no JSON, or none that is taken.
type jsonError struct {
	at place
	error
}

func (r *jsonReader) failure(err error) error {
	var own jsonError
	if errors.As(err, &own) {
		return err
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		r.move(int(syntax.Offset) - 1)
	} else {
		r.move(len(r.src))
	}
	return jsonError{r.at, err}
}

// move goes on to an offset and keeps line and column, in characters.
func (r *jsonReader) move(to int) {
	for to = min(to, len(r.src)); r.read < to; {
		letter, size := utf8.DecodeRune(r.src[r.read:])
		r.read += size
		r.at.column++
		if letter == '\n' {
			r.at.line, r.at.column = r.at.line+1, 1
		}
	}
}

// next reads a token and its place.
func (r *jsonReader) next() (json.Token, place, error) {
	skip := bytes.IndexFunc(r.src[r.decoder.InputOffset():], func(c rune) bool {
		return c != ' ' && c != '\t' && c != '\n' && c != '\r' && c != ',' && c != ':'
	})
	if skip < 0 {
		skip = 0
	}
	r.move(int(r.decoder.InputOffset()) + skip)
	at := r.at
	token, err := r.decoder.Token()
	return token, at, err
}

func (r *jsonReader) value(depth int) (*node, error) {
	token, at, err := r.next()
	if err != nil {
		return nil, err
	}
	return r.of(token, at, depth)
}

func (r *jsonReader) of(token json.Token, at place, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, jsonError{at, fmt.Errorf("nested deeper than %d", maxDepth)}
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '{' {
			return r.mapping(at, depth)
		}
		return r.sequence(at, depth)
	case string:
		return &node{at: at, text: token}, nil
	case nil:
		return &node{at: at, null: true}, nil
	default: // a number or a boolean, as written
		return &node{at: at, text: fmt.Sprint(token), plain: true}, nil
	}
}

func (r *jsonReader) mapping(at place, depth int) (*node, error) {
	m := &node{shape: mapping, at: at}
	seen := map[string]bool{}
	for {
		token, at, err := r.next()
		if err != nil {
			return nil, unexpectedEnd(err)
		}
		key, ok := token.(string)
		if !ok {
			return m, nil // the closing brace
		}
		if seen[key] {
			return nil, jsonError{at, fmt.Errorf("the key %s is written twice", quote(key))}
		}
		seen[key] = true
		value, err := r.value(depth + 1)
		if err != nil {
			return nil, unexpectedEnd(err)
		}
		m.fields = append(m.fields, field{key: key, at: at, value: value})
	}
}

func (r *jsonReader) sequence(at place, depth int) (*node, error) {
	list := &node{shape: sequence, at: at}
	for {
		token, at, err := r.next()
		if err != nil {
			return nil, unexpectedEnd(err)
		}
		if token == json.Delim(']') {
			return list, nil
		}
		item, err := r.of(token, at, depth+1)
		if err != nil {
			return nil, err
		}
		list.items = append(list.items, item)
	}
}

func unexpectedEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
