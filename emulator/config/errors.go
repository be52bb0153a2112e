package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error is one mistake in the configuration and what would be right.
type Error struct {
	File         string // empty for a flag, and where there is no file
	Line, Column int    // from 1, columns in characters; 0 where there is no place
	Path         string // the key, such as models[0].resource_request.cpu_request, or the flag
	Message      string
}

// Error is the mistake on one line, in the form that editors can follow.
func (e Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		fmt.Fprintf(&b, "%s:%d:%d: ", e.File, e.Line, e.Column)
	}
	if e.Path != "" {
		b.WriteString(e.Path + ": ")
	}
	return b.String() + e.Message
}

// Errors are all the mistakes of a configuration, by place; those of flags come last.
type Errors []Error

// Error has a line for each mistake.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives each mistake to errors.As.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, one := range e {
		all[i] = one
	}
	return all
}

// place is where a value was written.
type place struct {
	line, column int
	flag         string // instead of a line
}

// report gathers mistakes.
type report struct {
	file   string
	errors Errors
}

func (r *report) add(at place, path, format string, args ...any) {
	r.errors = append(r.errors, r.mistake(at, path, fmt.Sprintf(format, args...)))
}

func (r *report) mistake(at place, path, message string) Error {
	switch {
	case at.flag != "":
		return Error{Path: at.flag, Message: message}
	case at.line == 0:
		return Error{Path: path, Message: message}
	}
	return Error{File: r.file, Line: at.line, Column: at.column, Path: path, Message: message}
}

func (r *report) empty() bool { return len(r.errors) == 0 }

// err gives what was reported, sorted. A value that is used in several places
// through an alias is told once.
func (r *report) err() error {
	if r.empty() {
		return nil
	}
	same := func(a, b Error) bool {
		return a.Line > 0 && a.Line == b.Line && a.Column == b.Column && a.Message == b.Message
	}
	return slices.CompactFunc(r.sorted(), same)
}

// sorted is all that was reported, by place.
func (r *report) sorted() Errors {
	slices.SortStableFunc(r.errors, func(a, b Error) int {
		return cmp.Or(
			-cmp.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
		)
	})
	return r.errors
}
