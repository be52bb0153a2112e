package tui

import (
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
)

// jsonLine is what a line of JSON says, by the names that loggers use.
type jsonLine struct {
	at      time.Time // zero where it has none that is sure
	level   level
	logger  string
	message string
	fields  []jsonField // the others, in their order
	trace   []string    // of an error, line by line
}

// jsonField is one of the other fields; a value that is text has no quotes.
type jsonField struct {
	name, value string
	text        bool
	time        bool // it is the one that at is of
}

// mostJSON is the longest line that is taken apart, in bytes; a longer one is shown as
// it is written.
const mostJSON = 64 << 10

// isJSON tells whether a line looks like an object, before it is taken apart.
func isJSON(text string) bool {
	return len(text) >= 2 && len(text) <= mostJSON && text[0] == '{' && text[len(text)-1] == '}'
}

// role is what a field of a JSON line is for.
type role uint8

const (
	noRole role = iota
	timeRole
	levelRole
	messageRole
	loggerRole
	traceRole
)

// roleOf knows the names that the loggers of Go, Python, Node.js and Java use.
func roleOf(name string) role {
	switch name {
	case "ts", "time", "timestamp", "@timestamp", "asctime", "datetime", "T":
		return timeRole
	case "level", "severity", "lvl", "levelname", "log.level", "loglevel", "@level", "L":
		return levelRole
	case "msg", "message", "event", "@message", "M":
		return messageRole
	case "logger", "logger_name", "log.logger", "name", "N":
		return loggerRole
	case "exc_info", "exc_text", "stacktrace", "stack_trace", "stack", "stack_info", "traceback", "exception", "error.stack_trace", "errorVerbose", "S":
		return traceRole
	}
	return noRole
}

// parseJSON takes a line apart. It is false where the line is no JSON object, or one
// that no logger wrote: neither a message nor a level in it.
func parseJSON(text string) (line jsonLine, ok bool) {
	if !isJSON(text) || !gjson.Valid(text) {
		return jsonLine{}, false
	}
	var has [traceRole + 1]bool
	named := "" // whether "name" is a logger's is known once all is read
	gjson.Parse(text).ForEach(func(key, value gjson.Result) bool {
		name := key.String()
		role := roleOf(name)
		if role != traceRole && has[role] || !line.take(role, value) {
			role = noRole
		}
		has[role] = true
		switch {
		case role == loggerRole && name == "name":
			named = line.logger
		case role == timeRole, role == noRole: // the time too: whoever draws it knows whether it is needed
			line.fields = append(line.fields, newJSONField(name, value, role == timeRole))
		}
		return true
	})
	if !has[messageRole] && !has[levelRole] {
		return jsonLine{}, false
	}
	if named != "" && !has[levelRole] {
		line.logger, line.fields = "", append(line.fields, jsonField{name: "name", value: named, text: true})
	}
	return line, true
}

func newJSONField(name string, value gjson.Result, time bool) jsonField {
	if value.Type == gjson.String {
		return jsonField{name, value.Str, true, time}
	}
	return jsonField{name, value.Raw, false, time}
}

// take notes a field of a role; it is false where the value cannot have that role.
func (j *jsonLine) take(role role, value gjson.Result) bool {
	switch role {
	case timeRole:
		j.at = jsonTime(value)
		return !j.at.IsZero()
	case levelRole:
		j.level = jsonLevelOf(value)
		return j.level != noLevel
	case messageRole:
		if value.IsObject() || value.IsArray() {
			return false
		}
		j.message = value.String()
	case loggerRole:
		if value.Type != gjson.String {
			return false
		}
		j.logger = value.Str
	case traceRole:
		lines := traceLines(value)
		if len(lines) < 2 {
			return false
		}
		j.trace = append(j.trace, lines...)
	}
	return true
}

func jsonLevelOf(value gjson.Result) level {
	if value.Type == gjson.Number {
		return levelNumber(value.Num)
	}
	return levelWord(value.Str)
}

// jsonLevel is the level of a line that parseJSON takes, without taking it apart.
func jsonLevel(text string) (l level, ok bool) {
	if !isJSON(text) || !gjson.Valid(text) {
		return noLevel, false
	}
	gjson.Parse(text).ForEach(func(key, value gjson.Result) bool {
		switch roleOf(key.Str) {
		case levelRole:
			if l == noLevel {
				l = jsonLevelOf(value)
			}
			ok = ok || l != noLevel
		case messageRole:
			ok = ok || !value.IsObject() && !value.IsArray()
		}
		return l == noLevel
	})
	if !ok {
		l = noLevel
	}
	return l, ok
}

// traceLines are the lines of a stack trace: a text of several, or a list of texts.
func traceLines(value gjson.Result) []string {
	switch {
	case value.Type == gjson.String:
		return strings.Split(strings.TrimRight(value.String(), "\n"), "\n")
	case value.IsArray():
		var lines []string
		for _, v := range value.Array() {
			lines = append(lines, traceLines(v)...)
		}
		return lines
	}
	return nil
}

// jsonTime reads a time that says its zone, or is a number of seconds, milliseconds,
// microseconds or nanoseconds since 1970; zero is any other.
func jsonTime(value gjson.Result) time.Time {
	if value.Type == gjson.Number {
		unit := float64(time.Second)
		for most := 1e11; value.Num >= most && unit > 1; most *= 1e3 {
			unit /= 1e3
		}
		if n := value.Num * unit; n > 0 && n < 9e18 {
			return time.Unix(0, int64(n))
		}
		return time.Time{}
	}
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999 -0700"} {
		if at, err := time.Parse(form, value.Str); err == nil {
			return at
		}
	}
	return time.Time{}
}

// ownTime tells whether the line's own time is to be trusted: it came about then.
func (j *jsonLine) ownTime(arrived time.Time) bool {
	return !j.at.IsZero() && j.at.Sub(arrived).Abs() < time.Minute
}

// spans are the line as one: logger, message, the other fields; how many lines more it
// has is not told.
func (j *jsonLine) spans(arrived time.Time, inks *logInks) []span {
	message := firstLine(j.message)
	var line []span
	if j.logger != "" {
		line = append(line, span{printable(j.logger) + ": ", inks.faint})
	}
	line = append(line, span{printable(message), inks.levels[j.level]})
	if len(j.trace) > 0 {
		line = append(line, span{"  " + printable(sumOf(j.trace)), inks.levels[errorLevel]})
	}
	for _, f := range j.fields {
		if f.time && j.ownTime(arrived) {
			continue
		}
		line = append(line, span{" " + printable(f.name) + "=", inks.name}, span{shortValue(f), inks.plain})
	}
	return line
}

// sumOf is the line of a stack trace that says most: Python's last, any other's first.
func sumOf(trace []string) string {
	last := trace[len(trace)-1]
	if strings.HasPrefix(trace[0], pythonHead) && exceptionLine(last) {
		return last
	}
	return trace[0]
}

// shortValue is a value in one line, in quotes where it would be read as several.
func shortValue(f jsonField) string {
	switch {
	case f.text && (f.value == "" || strings.ContainsAny(f.value, " =\"\n\t")):
		return printable(strconv.Quote(f.value))
	case !f.text:
		return printable(strings.ReplaceAll(f.value, "\n", " ")) // an object that its writer laid out
	}
	return printable(f.value)
}

// hidden is how many lines the line has besides the first, in its message and its trace.
func (j *jsonLine) hidden() int { return strings.Count(j.message, "\n") + len(j.trace) }

// unfolded is the line as several: the message, a field a line, then the trace.
func (j *jsonLine) unfolded(inks *logInks) [][]span {
	var lines [][]span
	for i, text := range strings.Split(j.message, "\n") {
		var line []span
		if i == 0 && j.logger != "" {
			line = append(line, span{printable(j.logger) + ": ", inks.faint})
		}
		lines = append(lines, append(line, span{printable(text), inks.levels[j.level]}))
	}
	wide := 0
	for _, f := range j.fields {
		wide = max(wide, min(cells(printable(f.name)), 20))
	}
	for _, f := range j.fields {
		name := printable(f.name)
		name += spaces(wide - cells(name))
		for _, text := range strings.Split(f.value, "\n") {
			lines = append(lines, []span{{"  " + name + "  ", inks.name}, {printable(text), inks.plain}})
			name = spaces(wide)
		}
	}
	for _, text := range j.trace {
		lines = append(lines, []span{{"  " + printable(text), inks.levels[errorLevel]}})
	}
	return lines
}
