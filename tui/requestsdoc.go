package tui

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
)

// tone is how a part of a line looks.
type tone uint8

const (
	tonePlain tone = iota
	toneFaint
	toneTitle // a part's title
	toneName  // a field's or a member's
	toneText  // a string
	toneNumber
	toneWord // true, false, null, NaN
	toneGood
	toneWarn
	toneBad
	tonePart // and the four after it: the parts of a bar
)

func (t *theme) tone(i tone) lipgloss.Style {
	switch i {
	case toneFaint:
		return t.faint
	case toneTitle:
		return t.bold
	case toneName:
		return t.accent
	case toneText, toneGood:
		return t.good
	case toneNumber:
		return t.sources[2]
	case toneWord:
		return t.sources[1]
	case toneWarn:
		return t.warn
	case toneBad:
		return t.bad
	}
	if i >= tonePart {
		return t.sources[int(i-tonePart)%len(t.sources)]
	}
	return t.plain
}

// stroke is a part of a line in one tone, up to a byte of its text.
type stroke struct {
	tone tone
	to   int32
}

// docLine is one line as it is drawn: safe text, no wider than the document.
type docLine struct {
	text    string
	strokes []stroke
	indent  int16
	// joined tells that it goes on with the text of the line before, which was too long.
	joined bool
}

// document is a text of lines in inks, broken at a width.
type document struct {
	width int
	lines []docLine

	text    strings.Builder // of the line that is written
	strokes []stroke
	cells   int
}

// add writes foreign text on, in the line that is written.
func (d *document) add(i tone, text string) {
	if text == "" {
		return
	}
	text = legible(text)
	d.text.WriteString(text)
	d.cells += cells(text)
	if n := len(d.strokes); n > 0 && d.strokes[n-1].tone == i {
		d.strokes[n-1].to = int32(d.text.Len())
		return
	}
	d.strokes = append(d.strokes, stroke{i, int32(d.text.Len())})
}

// end ends the line. Where it is too long it is broken, and goes on further in by so many
// cells.
func (d *document) end(hang int) {
	text, strokes := d.text.String(), d.strokes
	d.text.Reset()
	d.strokes, d.cells = nil, 0
	hang = min(hang, d.width/2)
	for from, joined := 0, false; ; joined = true {
		l := docLine{joined: joined}
		if joined {
			l.indent = int16(hang)
		}
		to := from + breakAt(text[from:], max(d.width-int(l.indent), 1))
		l.text, l.strokes = text[from:to], cutStrokes(strokes, from, to)
		d.lines = append(d.lines, l)
		if from = to; from == len(text) {
			return
		}
	}
}

// line writes a line of one tone.
func (d *document) line(i tone, text string) {
	d.add(i, text)
	d.end(2)
}

// cutStrokes are the strokes of a part of a text.
func cutStrokes(strokes []stroke, from, to int) []stroke {
	first := 0
	for first < len(strokes) && int(strokes[first].to) <= from {
		first++
	}
	if from == 0 && (len(strokes) == 0 || int(strokes[len(strokes)-1].to) <= to) {
		return strokes
	}
	var part []stroke
	for _, s := range strokes[first:] {
		part = append(part, stroke{s.tone, min(s.to, int32(to)) - int32(from)})
		if int(s.to) >= to {
			break
		}
	}
	return part
}

// breakAt is where a text is broken so that it fits into the width, at a space or a comma
// where there is one in its second half.
func breakAt(text string, width int) int {
	hard, good := hardBreak(text, width)
	if hard < len(text) && good > hard/2 {
		return good
	}
	return hard
}

// hardBreak is where a text is broken so that it fits into the width, but for one
// character at least; good is behind the last space or comma before that.
func hardBreak(text string, width int) (at, good int) {
	used := 0
	for at < len(text) {
		n, w := 1, 1
		if c := text[at]; c >= utf8.RuneSelf || at+1 < len(text) && text[at+1] >= utf8.RuneSelf {
			cluster, cellsOfIt := ansi.FirstGraphemeCluster(text[at:], ansi.GraphemeWidth)
			n, w = max(len(cluster), 1), cellsOfIt
		}
		if used+w > width && at > 0 {
			break
		}
		at, used = at+n, used+w
		if c := text[at-1]; c == ' ' || c == ',' {
			good = at
		}
	}
	return at, good
}

// legible makes foreign text safe to draw in a line, as printable does; besides, invalid
// UTF-8 is replaced, and what joins and hides characters is an escape.
func legible(text string) string {
	if ascii(text) {
		return text
	}
	text = printable(strings.ToValidUTF8(text, "\uFFFD"))
	if !strings.ContainsFunc(text, unseen) {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		if unseen(r) {
			fmt.Fprintf(&out, "\\u%04x", r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

// unseen are the characters that change how others are drawn.
func unseen(r rune) bool {
	return r == 0xAD || r == 0xFEFF || 0x2028 <= r && r <= 0x202E || 0x200B <= r && r <= 0x200F && r != 0x200D || 0x2060 <= r && r <= 0x206F
}

// hit is a part of a line that was found, in bytes of its text.
type hit struct {
	from, to int
	here     bool // it is the one that the search is at
}

// render draws a line; the hits stand out.
func (l *docLine) render(t *theme, hits []hit) string {
	var out strings.Builder
	out.WriteString(spaces(int(l.indent)))
	at := 0
	for _, s := range l.strokes {
		for at < int(s.to) {
			to, style := int(s.to), t.tone(s.tone)
			for _, found := range hits {
				switch {
				case found.from <= at && at < found.to:
					to = min(to, found.to)
					if style = t.mark; found.here {
						style = t.chosen
					}
				case at < found.from:
					to = min(to, found.from)
				}
			}
			out.WriteString(style.Render(l.text[at:to]))
			at = to
		}
	}
	return out.String()
}
