package tui

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"github.com/caraml-dev/merlin-local/emulator/prose"
)

// ink is a style as the sequences before and after a text, so that to draw with it costs
// no more than to write them.
type ink struct{ before, after string }

func newInk(style lipgloss.Style) ink {
	before, after, _ := strings.Cut(style.Render("x"), "x")
	return ink{before, after}
}

// span is a piece of a line that is safe to print, in one style.
type span struct {
	text string
	ink  ink
}

// plainText is the line without its looks.
func plainText(line []span) string {
	if len(line) == 1 {
		return line[0].text
	}
	var text strings.Builder
	for _, s := range line {
		text.WriteString(s.text)
	}
	return text.String()
}

// paint is the line with its looks.
func paint(line []span) string {
	var out strings.Builder
	for _, s := range line {
		if s.text != "" {
			out.WriteString(s.ink.before)
			out.WriteString(s.text)
			out.WriteString(s.ink.after)
		}
	}
	return out.String()
}

// printable is a foreign text of one line made safe, its tabs as spaces.
func printable(text string) string {
	if ascii(text) {
		return text
	}
	return expandTabs(prose.Clean(text))
}

// asWritten is a foreign text of one line with everything visible that a terminal would
// interpret, so colours too.
func asWritten(text string) string {
	if ascii(text) {
		return text
	}
	var out strings.Builder
	for _, r := range expandTabs(text) {
		switch {
		case r < 0x100 && unicode.IsControl(r):
			fmt.Fprintf(&out, `\x%02x`, r)
		case unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp):
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// ascii tells whether each byte is one cell.
func ascii(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

const tabStop = 4

func expandTabs(text string) string {
	if strings.IndexByte(text, '\t') < 0 {
		return text
	}
	var out strings.Builder
	column := 0
	for i, part := range strings.Split(text, "\t") {
		if i > 0 {
			n := tabStop - column%tabStop
			out.WriteString(spaces(n))
			column += n
		}
		out.WriteString(part)
		column += utf8.RuneCountInString(part)
	}
	return out.String()
}

// cells is how wide a text is that is safe to print.
func cells(text string) int {
	if ascii(text) {
		return len(text)
	}
	return ansi.StringWidth(text)
}

// head is as much of a text from its beginning as is at most so many cells wide, and at
// least a character: where the width is less than that one's, it is not drawn whole.
func head(text string, width int) string {
	if ascii(text) {
		return text[:min(len(text), max(width, 1))]
	}
	cut := ansi.Truncate(text, max(width, 1), "")
	if cut == "" && text != "" {
		_, n := utf8.DecodeRuneInString(text)
		return text[:n]
	}
	return cut
}

// folded parts a line into rows of at most so many cells, at spaces where that is near.
func folded(line []span, width int) [][]span {
	var rows [][]span
	var row []span
	at := 0 // of the span in the text
	breaks := breaksOf(plainText(line), max(width, 2))
	for _, s := range line {
		for len(breaks) > 0 && breaks[0] <= at+len(s.text) {
			n := breaks[0] - at
			rows = append(rows, append(row, span{s.text[:n], s.ink}))
			row, s.text, at, breaks = nil, s.text[n:], breaks[0], breaks[1:]
		}
		row, at = append(row, s), at+len(s.text)
	}
	return append(rows, row)
}

// breaksOf is where the rows of a text begin, the first aside.
func breaksOf(text string, width int) (breaks []int) {
	for from := 0; ; {
		near := text[from:]
		if most := 16 * width; len(near) > most { // not all of a long text for each of its rows
			near = strings.ToValidUTF8(near[:most], "")
		}
		part := head(near, width)
		if from+len(part) >= len(text) {
			return breaks
		}
		if space := strings.LastIndexByte(part, ' '); space >= 0 && cells(part[space+1:]) < width/2 {
			part = part[:space+1]
		}
		from += len(part)
		breaks = append(breaks, from)
	}
}

// slid is the part of a line from a cell on, so many cells wide, with an ellipsis at each
// side where there is more.
func slid(line []span, from, width int, ellipsis string) []span {
	var out []span
	used := 0
	if from > 0 {
		out, used = append(out, span{text: ellipsis}), 1
		from++
	}
	for i, s := range line {
		if from > 0 {
			w := cells(s.text)
			if w <= from {
				from -= w
				continue
			}
			s.text = s.text[len(head(s.text, from)):]
			from = 0
		}
		w := cells(s.text)
		if used+w < width || used+w == width && empty(line[i+1:]) {
			out, used = append(out, s), used+w
			continue
		}
		if room := width - 1 - used; room > 0 {
			s.text = head(s.text, room)
			out = append(out, s)
		}
		return append(out, span{ellipsis, s.ink})
	}
	return out
}

func empty(line []span) bool {
	for _, s := range line {
		if s.text != "" {
			return false
		}
	}
	return true
}

// marked is the line with its matches in another style.
func marked(line []span, p *pattern, ink ink) []span {
	found := p.all(plainText(line))
	if len(found) == 0 {
		return line
	}
	var out []span
	at := 0 // of the span in the line
	for _, s := range line {
		rest, from := s.text, at
		for _, m := range found {
			start, end := max(m[0]-from, 0), min(m[1]-from, len(rest))
			if start >= len(rest) || end <= 0 {
				continue
			}
			out = append(out, span{rest[:start], s.ink}, span{rest[start:end], ink})
			rest, from = rest[end:], from+end
		}
		out = append(out, span{rest, s.ink})
		at += len(s.text)
	}
	return out
}
