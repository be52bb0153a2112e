package tui

import (
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
)

// level is how much a log line matters, as its writer says.
type level uint8

// The levels, the least first. A line that says none has noLevel.
const (
	noLevel level = iota
	traceLevel
	debugLevel
	infoLevel
	warnLevel
	errorLevel
	fatalLevel
)

// levelNames are the words of a filter, by level.
var levelNames = [...]string{"none", "trace", "debug", "info", "warn", "error", "fatal"}

// letter is the level in one cell, so that it is told without a colour.
func (l level) letter() string { return [...]string{" ", "T", "D", "I", "W", "E", "F"}[l] }

// style is how a line of that level looks.
func (t *theme) level(l level) lipgloss.Style {
	switch {
	case l >= errorLevel:
		return t.bad
	case l == warnLevel:
		return t.warn
	case l == traceLevel, l == debugLevel:
		return t.faint
	}
	return t.plain
}

// levelWord is the level that a word names, in any of the ways that loggers write it.
func levelWord(word string) level {
	if len(word) < 3 || len(word) > len("information") {
		return noLevel
	}
	switch strings.ToLower(word) {
	case "trace", "trc", "trac":
		return traceLevel
	case "debug", "dbg", "debu", "verbose":
		return debugLevel
	case "info", "inf", "information", "informational", "notice":
		return infoLevel
	case "warn", "warning", "wrn":
		return warnLevel
	case "error", "err", "erro", "severe":
		return errorLevel
	case "fatal", "ftl", "fata", "critical", "crit", "panic", "dpanic", "alert", "emerg", "emergency":
		return fatalLevel
	}
	return noLevel
}

// levelNumber is the level of a number, as pino and bunyan count.
func levelNumber(n float64) level {
	switch {
	case n >= 60:
		return fatalLevel
	case n >= 50:
		return errorLevel
	case n >= 40:
		return warnLevel
	case n >= 30:
		return infoLevel
	case n >= 20:
		return debugLevel
	case n >= 10:
		return traceLevel
	}
	return noLevel
}

const (
	headBytes  = 200 // of a line in which its level is looked for
	headTokens = 9   // before the level, at most
)

// lineLevel is the level that a line of text says it has: klog's first letter, a word
// among what stands at the beginning of a line (times, names, thread ids), or level=.
// A word in the middle of a sentence says nothing.
func lineLevel(text string) level {
	text = text[:min(len(text), headBytes)]
	if strings.IndexByte(text, '\x1b') >= 0 {
		text = ansi.Strip(text)
	}
	if l := klogLevel(text); l != noLevel {
		return l
	}
	rest, before := text, ""
	for n := range headTokens {
		var token string
		if token, rest = cutField(rest); token == "" {
			return noLevel
		}
		if l, known := tokenLevel(token, before, n == 0); known {
			return l
		}
		next, _ := cutField(rest)
		if !heading(token) && next != "-" && next != "|" {
			return noLevel
		}
		before = token
	}
	return noLevel
}

// tokenLevel is the level that one word at the beginning of a line gives. It is known
// too where the word settles that there is none.
func tokenLevel(token, before string, first bool) (l level, known bool) {
	word := strings.Trim(token, "[](){}<>|:-,;*\"'")
	if name, value, is := strings.Cut(word, "="); is {
		switch name {
		case "level", "lvl", "severity":
			return levelWord(strings.Trim(value, `"`)), true
		}
		return noLevel, false
	}
	if at := strings.IndexAny(word, ":["); at >= 0 { // "WARNING:root:text", logrus' "INFO[0001]"
		word = word[:at]
	}
	shaped := upper(word) || token[0] == '[' || first && strings.HasSuffix(token, ":")
	if l := levelWord(word); l != noLevel && shaped {
		return l, true
	}
	switch {
	case !strings.HasSuffix(token, ":"):
	case strings.HasSuffix(word, "Warning"):
		return warnLevel, true
	case first && (strings.HasSuffix(word, "Error") || strings.HasSuffix(word, "Exception")):
		return errorLevel, true
	}
	if len(token) == 1 && strings.HasSuffix(before, ":") { // TensorFlow: "2026-01-02 03:04:05.678901: W tensorflow/…"
		return letterLevel(token[0]), letterLevel(token[0]) != noLevel
	}
	return noLevel, false
}

// heading tells a word that may stand before the level: a time, a number, a thread, a
// logger's or file's name.
func heading(token string) bool {
	if strings.IndexByte("[(<|-*", token[0]) >= 0 {
		return true
	}
	return strings.ContainsAny(token, "0123456789=/_") || strings.IndexByte(token[:len(token)-1], '.') > 0
}

// klogLevel is the level of a line of klog or glog: "W0102 03:04:05.678901   7 main.go:8] text".
func klogLevel(text string) level {
	if len(text) < len("W0102 03:04:05") {
		return noLevel
	}
	date, rest, _ := strings.Cut(text[1:], " ")
	if (len(date) != 4 && len(date) != 8) || !digits(date) || len(rest) < 3 || !digits(rest[:2]) || rest[2] != ':' {
		return noLevel
	}
	return letterLevel(text[0])
}

func letterLevel(letter byte) level {
	switch letter {
	case 'D':
		return debugLevel
	case 'I':
		return infoLevel
	case 'W':
		return warnLevel
	case 'E':
		return errorLevel
	case 'F', 'C':
		return fatalLevel
	}
	return noLevel
}

// cutField parts the first word from the rest.
func cutField(text string) (field, rest string) {
	text = strings.TrimLeft(text, " \t")
	if at := strings.IndexAny(text, " \t"); at >= 0 {
		return text[:at], text[at:]
	}
	return text, ""
}

func digits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}

func upper(text string) bool {
	for i := range len(text) {
		if text[i] < 'A' || text[i] > 'Z' {
			return false
		}
	}
	return text != ""
}
