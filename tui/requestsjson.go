package tui

import (
	"bytes"
	"fmt"
	"strings"
)

// looksLikeJSON tells whether a body begins as JSON that is worth laying out does.
func looksLikeJSON(body []byte) bool {
	body = bytes.TrimLeft(body, " \t\r\n")
	return len(body) > 0 && (body[0] == '{' || body[0] == '[' || body[0] == '"')
}

// deepestJSON is how deep JSON is laid out; what is nested deeper is shown as it is.
const deepestJSON = 200

// jsonText lays JSON out: the order, the numbers and the strings stay as they were sent.
// What fits on a line is on one; a list of numbers fills its lines. It reads what is
// nearly JSON, too: NaN as Python writes it, and the beginning of what is cut.
type jsonText struct {
	*document
	in []byte
	at int
}

// json writes a body that is JSON, or whose beginning is; cut tells that its end is
// missing. What cannot be read is shown as it is, below a line that says so.
func (d *document) json(body []byte, cut bool) {
	j := &jsonText{document: d, in: body}
	sound := true
	for j.space(); j.at < len(j.in) && sound; j.space() {
		if sound = j.value(0, 0); sound {
			d.end(4)
		}
	}
	if d.cells > 0 {
		d.end(4)
	}
	switch {
	case j.at >= len(j.in) && !sound && !cut:
		d.line(toneBad, "here the JSON ends too early")
		return
	case j.at >= len(j.in):
		return
	case !cut:
		d.line(toneBad, fmt.Sprintf("from here on, byte %d, it is no JSON, or nested deeper than %d:", j.at, deepestJSON))
	}
	d.plain(j.in[j.at:])
}

func (j *jsonText) space() {
	for j.at < len(j.in) && (j.in[j.at] == ' ' || j.in[j.at] == '\t' || j.in[j.at] == '\n' || j.in[j.at] == '\r') {
		j.at++
	}
}

// value writes the value that begins here; false where there is none, or it ends too early.
func (j *jsonText) value(indent, depth int) bool {
	if j.at >= len(j.in) || depth > deepestJSON {
		return false
	}
	open := j.in[j.at]
	if open != '{' && open != '[' {
		end, tone := scalar(j.in, j.at)
		j.add(tone, string(j.in[j.at:end]))
		ok := end > j.at && !(tone == toneText && (end-j.at < 2 || j.in[end-1] != '"'))
		j.at = end
		return ok
	}
	if end := compactEnd(j.in, j.at, j.width-j.cells); end > 0 {
		j.compact(end)
		return true
	}
	return j.container(open, indent, depth)
}

// container writes an object or array over several lines.
func (j *jsonText) container(open byte, indent, depth int) bool {
	inner := indent + 2
	j.add(tonePlain, string(open))
	j.at++
	j.end(inner + 2)
	filling := false // the line has values of an array, and room
	for first := true; ; first = false {
		j.space()
		if j.at >= len(j.in) {
			return false
		}
		if c := j.in[j.at]; c == open+2 { // } is two after {, and ] after [
			if j.cells > 0 {
				j.end(inner + 2)
			}
			j.indent(indent)
			j.add(tonePlain, string(c))
			j.at++
			return true
		}
		if !first && !j.comma() {
			return false
		}
		isScalar := j.at < len(j.in) && open == '[' && j.in[j.at] != '{' && j.in[j.at] != '['
		if filling {
			if end, _ := scalar(j.in, j.at); isScalar && j.cells+1+(end-j.at)+1 <= j.width {
				j.add(tonePlain, " ")
			} else {
				j.end(inner + 2)
				filling = false
			}
		} else if j.cells > 0 {
			j.end(inner + 2)
		}
		if !filling {
			j.indent(inner)
		}
		if open == '{' && !j.name() || !j.value(inner, depth+1) {
			return false
		}
		filling = isScalar
	}
}

// indent begins a line so far in. Deep down it does not go further.
func (j *jsonText) indent(n int) { j.add(tonePlain, spaces(min(n, j.width/2))) }

func (j *jsonText) comma() bool {
	if j.in[j.at] != ',' {
		return false
	}
	j.add(tonePlain, ",")
	j.at++
	j.space()
	return j.at < len(j.in)
}

// name writes a member's name and its colon.
func (j *jsonText) name() bool {
	end, tone := scalar(j.in, j.at)
	if tone != toneText {
		return false
	}
	j.add(toneName, string(j.in[j.at:end]))
	j.at = end
	j.space()
	if j.at >= len(j.in) || j.in[j.at] != ':' {
		return false
	}
	j.add(tonePlain, ": ")
	j.at++
	j.space()
	return true
}

// compact writes what is up to there on the line; it was found to be sound.
func (j *jsonText) compact(end int) {
	named := map[bool]tone{true: toneName, false: toneText}
	var objects []bool // whether each open container is an object
	key := false       // the next string is a name
	for j.space(); j.at < end; j.space() {
		switch c := j.in[j.at]; c {
		case '{', '[':
			objects = append(objects, c == '{')
			key = c == '{'
			j.add(tonePlain, string(c))
			j.at++
		case '}', ']':
			objects = objects[:len(objects)-1]
			j.add(tonePlain, string(c))
			j.at++
		case ',':
			key = objects[len(objects)-1]
			j.add(tonePlain, ", ")
			j.at++
		case ':':
			key = false
			j.add(tonePlain, ": ")
			j.at++
		default:
			to, tone := scalar(j.in, j.at)
			if tone == toneText {
				tone = named[key]
			}
			j.add(tone, string(j.in[j.at:to]))
			j.at = to
		}
	}
}

// compactEnd is where the container ends that begins at a place, if it fits into so many
// cells when it is written on one line, and is sound; else 0.
func compactEnd(in []byte, at, room int) int {
	var open []byte
	const value, afterValue, name, colon = 0, 1, 2, 3
	expect := value
	closable := false // an empty container may end here
	for ; at < len(in); at++ {
		c := in[at]
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			continue
		}
		room--
		switch {
		case c == '}' || c == ']':
			if len(open) == 0 || open[len(open)-1] != c || expect != afterValue && !closable {
				return 0
			}
			open, expect = open[:len(open)-1], afterValue
			if len(open) == 0 && room >= 0 {
				return at + 1
			}
		case expect == afterValue:
			if c != ',' {
				return 0
			}
			room--
			if expect = value; open[len(open)-1] == '}' {
				expect = name
			}
		case expect == colon:
			if c != ':' {
				return 0
			}
			room--
			expect = value
		case expect == value && (c == '{' || c == '['):
			open = append(open, c+2)
			if expect = value; c == '{' {
				expect = name
			}
			closable = true
			if room < 0 {
				return 0
			}
			continue
		default:
			end, tone := scalar(in, at)
			sound := end > at && (tone != toneText || end-at >= 2 && in[end-1] == '"')
			if !sound || expect == name && tone != toneText {
				return 0
			}
			room -= end - at - 1
			at = end - 1
			if expect == name {
				expect = colon
			} else {
				expect = afterValue
			}
		}
		closable = false
		if room < 0 {
			return 0
		}
	}
	return 0
}

// scalar is where the string, number or word ends that begins at a place, and its tone; at
// itself where none begins there. A string that is not closed ends with the text.
func scalar(in []byte, at int) (end int, i tone) {
	if at >= len(in) {
		return at, tonePlain
	}
	switch c := in[at]; {
	case c == '"':
		for end = at + 1; end < len(in); end++ {
			switch in[end] {
			case '\\':
				end++
			case '"':
				return end + 1, toneText
			}
		}
		return len(in), toneText
	case c == '-' || '0' <= c && c <= '9':
		i = toneNumber
	case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
		i = toneWord
	default:
		return at, tonePlain
	}
	for end = at; end < len(in) && (in[end] == '-' || in[end] == '+' || in[end] == '.' || '0' <= in[end] && in[end] <= '9' || 'a' <= in[end] && in[end] <= 'z' || 'A' <= in[end] && in[end] <= 'Z'); end++ {
	}
	switch word := strings.TrimPrefix(string(in[at:min(end, at+12)]), "-"); word {
	case "true", "false", "null":
		i = toneWord
	case "NaN", "Infinity": // as Python writes them; no JSON
		i = toneBad
	default:
		if i == toneWord {
			return at, tonePlain
		}
	}
	return end, i
}
