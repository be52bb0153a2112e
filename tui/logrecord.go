package tui

import (
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
)

// several tells whether a record has lines that are hidden while it is folded.
func (p *logs) several(number int) bool {
	r := p.book.at(number)
	if r.json && !p.raw {
		line, is := parseJSON(p.book.text(r, 0))
		return is && line.hidden() > 0
	}
	return len(r.more) > 0
}

// recordRows are a record's rows, one at least.
func (p *logs) recordRows(s *scene, number int) []logRow {
	if rows, known := p.rows.rows[number]; known {
		return rows
	}
	rows := p.compose(s, number)
	p.rows.add(number, rows)
	return rows
}

const (
	mostDrawn = 8 << 10 // bytes of a line
	wideTimes = 100     // cells from which times have milliseconds
	nameCells = 12      // of a source
)

// compose makes a record's rows: what stands before the text, then the text.
func (p *logs) compose(s *scene, number int) []logRow {
	r := p.book.at(number)
	before, arrived := p.front(s, r)
	blank := spaces(cells(plainText(before)))
	room := max(p.width-1-len(blank), 10)
	lines, open := p.content(s, r, arrived, room)
	var rows []logRow
	for i, line := range lines {
		found := false
		if p.search.on() {
			with := marked(line, &p.search.pattern, p.inks.mark)
			found, line = len(with) > len(line), with
		}
		parts := [][]span{line}
		switch {
		case p.wrap || open:
			parts = folded(line, room)
		default:
			parts[0] = slid(line, p.slid, room, s.glyphs.ellipsis)
		}
		for j, part := range parts {
			front := blank
			if i == 0 && j == 0 {
				front = paint(before)
			}
			rows = append(rows, logRow{front + paint(part), found})
		}
	}
	return rows
}

// front is what stands before a record's text: the time, who wrote it, how much it
// matters.
func (p *logs) front(s *scene, r *logRecord) (line []span, arrived time.Time) {
	at := time.Time{}
	if r.divider != nil {
		arrived = r.divider.at
		at = arrived
	} else {
		e := p.book.event(r)
		arrived = e.Time
		at = arrived
		if r.json && !p.raw {
			if json, is := parseJSON(e.Fact.(event.Log).Text); is && json.ownTime(arrived) {
				at = json.at
			}
		}
	}
	if !p.timeless {
		text := prose.Clock(at)
		if p.width >= wideTimes {
			text = at.Local().Format("15:04:05.000")
		}
		line = append(line, span{text + " ", p.inks.faint})
	}
	if r.divider != nil {
		return line, arrived
	}
	name, color := p.book.source(r), p.inks.faint
	if replica, build := p.book.replica(r); !build {
		color = p.inks.sources[colourOf(p.book.name(replica), len(p.inks.sources))]
	}
	return append(line, span{s.fit(name, max(min(cells(name), nameCells), 5)) + " ", color}, span{r.level.letter(), p.inks.letters[r.level]}, span{" ", ink{}}), arrived
}

// colourOf is the same for the same name, always.
func colourOf(name string, colours int) int {
	sum := uint32(2166136261)
	for i := range len(name) {
		sum = (sum ^ uint32(name[i])) * 16777619
	}
	return int(sum % uint32(colours))
}

// content is a record's text, line by line; open tells that it is unfolded.
func (p *logs) content(s *scene, r *logRecord, arrived time.Time, room int) (lines [][]span, open bool) {
	if r.divider != nil {
		rule := s.glyphs.border.Top + s.glyphs.border.Top + " "
		text := []span{{rule, p.inks.faint}, {r.divider.text, p.inks.levels[r.level]}}
		left := room - 1 - cells(plainText(text))
		return [][]span{append(text, span{" " + strings.Repeat(s.glyphs.border.Top, max(left, 0)), p.inks.faint})}, false
	}
	text := p.book.text(r, 0)
	if r.json && !p.raw {
		if json, is := parseJSON(text); is {
			return p.jsonContent(r, &json, arrived)
		}
	}
	several := len(r.more) > 0
	open = r.toggled != (p.unfolded && several)
	ink := p.inks.levels[r.level]
	if !open && several {
		return [][]span{p.summary(r, text)}, false
	}
	lines = [][]span{p.capped(text, ink)}
	for _, offset := range r.more {
		lines = append(lines, p.capped(p.book.text(r, offset), ink))
	}
	return lines, open
}

func (p *logs) jsonContent(r *logRecord, json *jsonLine, arrived time.Time) (lines [][]span, open bool) {
	hidden := json.hidden()
	if open = r.toggled != (p.unfolded && hidden > 0); open {
		lines = json.unfolded(p.inks)
	} else {
		line := json.spans(arrived, p.inks)
		if hidden > 0 {
			line = append([]span{p.plus(hidden)}, line...)
		}
		lines = [][]span{line}
	}
	for i, line := range lines {
		lines[i] = cut(line, p.inks.faint)
	}
	return lines, open
}

// summary is a folded trace in a line: how many lines are hidden, then what says most:
// the exception before what was logged with it.
func (p *logs) summary(r *logRecord, text string) []span {
	ink := p.inks.levels[r.level]
	line := []span{p.plus(len(r.more))}
	if r.sum > 0 {
		line = append(line, p.capped(p.book.text(r, r.sum), ink)...)
		if strings.HasSuffix(text, pythonHead) {
			return line
		}
		line = append(line, span{"  ", ink})
	}
	return append(line, p.capped(text, ink)...)
}

func (p *logs) plus(lines int) span { return span{"[+" + count(int64(lines)) + "] ", p.inks.faint} }

// capped is a line as it is shown, or the beginning of a long one.
func (p *logs) capped(text string, ink ink) []span {
	show := printable
	if p.raw {
		show = asWritten
	}
	if len(text) <= mostDrawn {
		return []span{{show(text), ink}}
	}
	return []span{{show(strings.ToValidUTF8(text[:mostDrawn], "")), ink}, p.more(len(text))}
}

func (p *logs) more(whole int) span {
	return span{" [the first " + size(mostDrawn) + " of " + size(int64(whole)) + "]", p.inks.faint}
}

// cut is a line without what is beyond the bytes that are drawn.
func cut(line []span, faint ink) []span {
	whole := 0
	for _, s := range line {
		whole += len(s.text)
	}
	if whole <= mostDrawn {
		return line
	}
	left := mostDrawn
	for i, s := range line {
		if len(s.text) > left {
			line[i].text = strings.ToValidUTF8(s.text[:left], "")
			return append(line[:i+1:i+1], span{" [the first " + size(mostDrawn) + " of " + size(int64(whole)) + "]", faint})
		}
		left -= len(s.text)
	}
	return line
}
