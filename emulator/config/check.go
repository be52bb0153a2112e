package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// check tells every value that is not what its spec allows, and marks it as bad.
func check(n *node, s *spec, report *report) {
	c := checker{report}
	c.value(n, s, "")
}

type checker struct{ report *report }

func (c checker) fail(n *node, path, format string, args ...any) {
	n.bad = true
	c.report.add(n.at, path, format, args...)
}

func (c checker) value(n *node, s *spec, path string) {
	switch {
	case n.bad || n.null:
	case n.shape == mapping && s.form&formKeys != 0:
		c.keys(n, s, path)
	case n.shape == mapping && s.form&formTable != 0:
		c.table(n, s, path)
	case n.shape == sequence && s.form&formList != 0:
		c.list(n, s, path)
	case n.shape == scalar && s.form&formScalar != 0:
		c.scalar(n, s, path)
	default:
		c.fail(n, path, "wants %s, not %s%s", s.form, describe(n), s.hint)
	}
}

func (c checker) keys(n *node, s *spec, path string) {
	for _, f := range n.fields {
		if inner := s.key(f.key); inner != nil {
			c.value(f.value, inner, join(path, f.key))
			continue
		}
		c.report.add(f.at, path, "%s", unknownKey(f.key, s))
	}
	for _, k := range s.keys {
		v := n.lookup(k.name)
		if k.spec.required && (v == nil || v.null) {
			c.fail(n, path, "%s is missing: %s", k.name, firstLower(strings.TrimSuffix(k.spec.doc, ".")))
		}
	}
}

func firstLower(s string) string { return strings.ToLower(s[:1]) + s[1:] }

func unknownKey(name string, s *spec) string {
	if home := s.home(name); home != "" {
		return fmt.Sprintf("the key %q belongs under %s", name, home)
	}
	allowed := s.keyNames()
	return fmt.Sprintf("unknown key %q%s; allowed are %s", name, didYouMean(name, allowed), strings.Join(allowed, ", "))
}

func (c checker) table(n *node, s *spec, path string) {
	for _, f := range n.fields {
		if !s.names.accepts(f.key) {
			c.report.add(f.at, path, "%s is no name here: wants %s", quote(f.key), s.names.want)
		}
		c.value(f.value, s.each, join(path, f.key))
	}
}

func (c checker) list(n *node, s *spec, path string) {
	for i, item := range n.items {
		at := path + "[" + strconv.Itoa(i) + "]"
		if item.null {
			c.fail(item, at, "an empty element: wants %s", s.items.form)
			continue
		}
		c.value(item, s.items, at)
	}
	if len(n.items) < s.atLeast {
		c.fail(n, path, "wants at least %d", s.atLeast)
	}
	if s.atMost > 0 && len(n.items) > s.atMost {
		c.fail(n, path, "has %d elements: wants at most %d", len(n.items), s.atMost)
	}
}

func (c checker) scalar(n *node, s *spec, path string) {
	switch {
	case s.form&formText != 0:
		c.text(n, s, path)
	case s.form&formSeconds != 0:
		c.seconds(n, s, path)
	case !n.plain && (isInteger(n.text) || isNumber(n.text)):
		c.fail(n, path, "%s in quotes is text: wants %s%s, without quotes", quote(n.text), s.form, s.limits())
	case s.form&formInteger != 0 && !isInteger(n.text), !isNumber(n.text):
		c.fail(n, path, "%s is not %s: wants %s%s", quote(n.text), s.form, s.form, s.limits())
	default:
		value, _ := strconv.ParseFloat(n.text, 64)
		c.limits(n, s, path, value)
	}
}

func (c checker) text(n *node, s *spec, path string) {
	if len(s.options) > 0 && !slices.Contains(s.options, n.text) {
		allowed := slices.DeleteFunc(slices.Clone(s.options), func(o string) bool { return o == "" })
		c.fail(n, path, "%s is not known%s; allowed are %s", quote(n.text), didYouMean(n.text, allowed), strings.Join(allowed, ", "))
		return
	}
	if !s.rule.accepts(n.text) {
		c.fail(n, path, "%s is not allowed: wants %s", quote(n.text), s.rule.want)
	}
}

func (c checker) seconds(n *node, s *spec, path string) {
	d, ok := seconds(n.text, n.plain)
	if !ok {
		c.fail(n, path, "%s is no duration: wants %s%s", quote(n.text), s.form, s.limits())
		return
	}
	c.limits(n, s, path, d.Seconds())
}

func (c checker) limits(n *node, s *spec, path string, value float64) {
	low, high := s.least, s.most
	tooLow := low != nil && (value < low.value || low.exclusive && value == low.value)
	if tooLow || high != nil && value > high.value {
		c.fail(n, path, "%s is out of range: wants %s%s", quote(n.text), s.form, s.limits())
	}
}

// limits says the range, where there is one.
func (s *spec) limits() string {
	number := func(b *bound) string { return strconv.FormatFloat(b.value, 'f', -1, 64) }
	unit := ""
	if s.form&formSeconds != 0 {
		unit = " seconds"
	}
	switch {
	case s.least != nil && s.least.exclusive && s.most != nil:
		return " above " + number(s.least) + " and up to " + number(s.most) + unit
	case s.least != nil && s.most != nil && s.most.value < math.MaxInt32:
		return " from " + number(s.least) + " to " + number(s.most)
	case s.least != nil && s.least.exclusive:
		return " above " + number(s.least)
	case s.least != nil:
		return " from " + number(s.least)
	}
	return ""
}

// describe names what was written, for a message.
func describe(n *node) string {
	switch {
	case n.null:
		return "nothing"
	case n.shape == mapping:
		return "a mapping"
	case n.shape == sequence:
		return "a list"
	}
	return quote(n.text)
}

// quote cuts a long text short.
func quote(text string) string {
	const longest = 60
	if utf8.RuneCountInString(text) > longest {
		text = string([]rune(text)[:longest]) + "…"
	}
	return strconv.Quote(text)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
