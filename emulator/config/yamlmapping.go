package config

import (
	"slices"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// mapping keeps the order of the keys. What is merged in stands where << does, and
// gives way to the mapping's own keys.
func (r *reader) mapping(start *token.Token, values []*ast.MappingValueNode) *node {
	m := &node{shape: mapping, at: placeOf(start)}
	if len(values) > 0 && (start == nil || start.Type != token.MappingStartType) {
		m.at = placeOf(values[0].Key.GetToken())
	}
	own := map[string]place{}
	for _, v := range values {
		if v.Key.IsMergeKey() {
			r.merge(m, r.node(v.Value), placeOf(v.Key.GetToken()))
			continue
		}
		key := r.key(v.Key)
		if first, twice := own[key.text]; twice {
			r.report.add(key.at, "", "the key %q is written twice: first in line %d", key.text, first.line)
			r.node(v.Value) // for its anchors and mistakes
			continue
		}
		own[key.text] = key.at
		m.put(field{key: key.text, at: key.at, value: r.node(v.Value)})
	}
	return m
}

// put replaces a key in its place or adds it at the end.
func (n *node) put(f field) {
	same := func(have field) bool { return have.key == f.key }
	if i := slices.IndexFunc(n.fields, same); i >= 0 {
		n.fields[i] = f
		return
	}
	n.fields = append(n.fields, f)
}

func (r *reader) merge(into, from *node, at place) {
	switch {
	case from.bad:
	case from.shape == mapping:
		for _, f := range from.fields {
			if into.lookup(f.key) == nil {
				into.fields = append(into.fields, f)
			}
		}
	case from.shape == sequence:
		for _, item := range from.items {
			r.merge(into, item, at)
		}
	default:
		r.report.add(at, "", "<< merges a mapping or a list of mappings, such as *anchor, not %s", describe(from))
	}
}

func (r *reader) key(k ast.MapKeyNode) *node {
	var n ast.Node = k
	if explicit, ok := n.(*ast.MappingKeyNode); ok {
		n = explicit.Value
	}
	key := r.node(n)
	if key.shape != scalar {
		r.report.add(key.at, "", "a key is text, not %s", describe(key))
	}
	if key.null {
		key = &node{at: key.at, text: placeText(n)}
	}
	return key
}

// placeText is a token's text: a key that reads as null is still a name.
func placeText(n ast.Node) string {
	if n == nil || n.GetToken() == nil {
		return ""
	}
	return n.GetToken().Value
}
