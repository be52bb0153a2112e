package config

import (
	"slices"
	"strconv"
	"strings"
)

// shape is what a value looks like in YAML.
type shape int

const (
	scalar shape = iota
	mapping
	sequence
)

// node is a value with the place where it was written. An anchor's value is one
// node wherever it is used, so nodes are not changed after they were read.
type node struct {
	shape  shape
	at     place
	text   string // a scalar's, as written, without quotes and escapes
	plain  bool   // a scalar without quotes, nor a block
	null   bool
	fields []field // a mapping's, in order
	items  []*node // a sequence's
	bad    bool    // a mistake in it was told: its text means nothing
}

type field struct {
	key     string
	at      place
	value   *node
	comment []string // lines that are written before it
}

// lookup is the value of a key as written, nil where there is none.
func (n *node) lookup(key string) *node {
	if n == nil {
		return nil
	}
	for i := range n.fields {
		if n.fields[i].key == key {
			return n.fields[i].value
		}
	}
	return nil
}

// get is lookup without nulls, which mean that nothing is given, and without
// values that were found wrong.
func (n *node) get(key string) *node {
	v := n.lookup(key)
	if v == nil || v.null || v.bad {
		return nil
	}
	return v
}

// gives tells whether something is written for a key, be it wrong.
func (n *node) gives(key string) bool {
	v := n.lookup(key)
	return v != nil && !v.null && (v.bad || v.shape != scalar || v.text != "")
}

// wrong tells whether what is written for a key was found wrong.
func (n *node) wrong(key string) bool {
	v := n.lookup(key)
	return v != nil && v.bad
}

func (n *node) string(key, otherwise string) string {
	if v := n.get(key); v != nil {
		return v.text
	}
	return otherwise
}

// nonEmpty is string, but an empty text is no text.
func (n *node) nonEmpty(key, otherwise string) string {
	if s := n.string(key, ""); s != "" {
		return s
	}
	return otherwise
}

func (n *node) integer(key string, otherwise int) int {
	if v := n.get(key); v != nil {
		if i, err := strconv.Atoi(v.text); err == nil {
			return i
		}
	}
	return otherwise
}

func (n *node) number(key string, otherwise float64) float64 {
	if v := n.get(key); v != nil {
		if f, err := strconv.ParseFloat(v.text, 64); err == nil {
			return f
		}
	}
	return otherwise
}

func (n *node) elements(key string) []*node {
	v := n.get(key)
	if v == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(v.items), func(item *node) bool { return item.bad || item.null })
}

// pairs reads a mapping, or a list of mappings with the keys name and value, in order.
func (n *node) pairs(name string) []field {
	if n == nil || n.bad {
		return nil
	}
	all := slices.Clone(n.fields)
	for _, item := range n.items {
		if key := item.get(name); key != nil {
			value := item.get("value")
			if value == nil {
				value = &node{at: item.at}
			}
			all = append(all, field{key: key.text, at: key.at, value: value})
		}
	}
	return slices.DeleteFunc(all, func(f field) bool { return f.value.bad })
}

// find follows a path such as resource_request.cpu_request or secrets[1], as far
// as it is written.
func (n *node) find(path string) *node {
	path = strings.ReplaceAll(path, "[", ".[")
	for step := range strings.SplitSeq(path, ".") {
		next := n.lookup(step)
		if i, err := strconv.Atoi(strings.Trim(step, "[]")); err == nil && i >= 0 && i < len(n.items) {
			next = n.items[i]
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}
