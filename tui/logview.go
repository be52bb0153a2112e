package tui

import (
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
)

// place is a row of a record.
type place struct{ record, row int }

// logInks are the looks of the parts of a line.
type logInks struct {
	plain, faint, name, mark, cursor ink
	levels                           [len(levelNames)]ink // of the text
	letters                          [len(levelNames)]ink
	sources                          []ink
}

func newLogInks(t *theme) *logInks {
	inks := &logInks{
		faint: newInk(t.faint), name: newInk(t.accent), mark: newInk(t.mark.Reverse(true)), cursor: newInk(t.key),
	}
	for l := range inks.levels {
		inks.levels[l] = newInk(t.level(level(l)))
		inks.letters[l] = inks.levels[l]
		if level(l) >= warnLevel {
			inks.letters[l] = newInk(t.level(level(l)).Bold(true))
		}
	}
	for _, style := range t.sources {
		inks.sources = append(inks.sources, newInk(style))
	}
	return inks
}

// rowCache keeps the rows of the records that were drawn last, bounded by bytes.
type rowCache struct {
	rows  map[int][]logRow
	bytes int
}

// logRow is a row as it is drawn, and whether a search found something in it.
type logRow struct {
	text  string
	found bool
}

const cachedRows = 2 << 20 // bytes

func (c *rowCache) drop(number int) {
	for _, r := range c.rows[number] {
		c.bytes -= len(r.text)
	}
	delete(c.rows, number)
}

func (c *rowCache) add(number int, rows []logRow) {
	if c.rows == nil || c.bytes > cachedRows {
		c.rows, c.bytes = map[int][]logRow{}, 0
	}
	c.rows[number] = rows
	for _, r := range rows {
		c.bytes += len(r.text)
	}
}

// redraw forgets how records looked: something changed that is seen in all of them.
func (p *logs) redraw() { p.rows = rowCache{} }

// draw shows the records, the newest at the bottom.
func (p *logs) draw(s *scene, width, height int) []string {
	p.read(s)
	if p.width != width {
		p.width = width
		p.redraw()
	}
	var below []string
	if p.typing() {
		below = []string{p.ask.line(s, width)}
	}
	p.height = max(height-len(below), 1)
	lines := p.lines(s)
	if len(p.shown) == 0 {
		lines = p.nothing(s)
	}
	if len(below) > 0 {
		lines = append(s.block(lines, width, p.height), below...)
	}
	return lines
}

// nothing says why there is nothing to see.
func (p *logs) nothing(s *scene) []string {
	text := "nothing has been written yet"
	switch n := p.book.end() - p.book.gone; {
	case s.model == nil:
		text = "no model yet"
	case n > 0 && p.chosen.text != "":
		text = "none of " + count(int64(n)) + " lines passes the filter; esc shows all"
	case n > 0 && p.only != "":
		text = "this container wrote nothing; esc shows all"
	}
	return []string{" " + s.faint.Render(text)}
}

// lines are the rows on the screen.
func (p *logs) lines(s *scene) []string {
	if len(p.shown) == 0 {
		return nil
	}
	first := p.end(s)
	if p.paused {
		p.settle(s)
		first = p.top
	} else {
		first, _ = p.step(s, first, -(p.height - 1))
	}
	lines := make([]string, 0, p.height)
	at, more := first, true
	for more && len(lines) < p.height {
		row := p.recordRows(s, at.record)[at.row]
		gutter := " "
		switch {
		case p.paused && s.focused && at == p.at:
			gutter = p.inks.cursor.before + s.glyphs.bullet + p.inks.cursor.after
		case row.found:
			gutter = p.inks.mark.before + "*" + p.inks.mark.after
		}
		lines = append(lines, gutter+row.text)
		at, more = p.next(s, at)
	}
	return lines
}

// index is where a record is among those that are shown, or the next one that is.
func (p *logs) index(number int) int {
	i, _ := slices.BinarySearch(p.shown, number)
	return min(i, len(p.shown)-1)
}

// end is the last row.
func (p *logs) end(s *scene) place {
	last := p.shown[len(p.shown)-1]
	return place{last, len(p.recordRows(s, last)) - 1}
}

// next is the row below; false where there is none.
func (p *logs) next(s *scene, at place) (place, bool) {
	if at.row+1 < len(p.recordRows(s, at.record)) {
		return place{at.record, at.row + 1}, true
	}
	if i := p.index(at.record); i+1 < len(p.shown) {
		return place{p.shown[i+1], 0}, true
	}
	return at, false
}

// before is the row above; false where there is none.
func (p *logs) before(s *scene, at place) (place, bool) {
	if at.row > 0 {
		return place{at.record, at.row - 1}, true
	}
	if i := p.index(at.record); i > 0 {
		number := p.shown[i-1]
		return place{number, len(p.recordRows(s, number)) - 1}, true
	}
	return at, false
}

// step is so many rows below, or above where it is negative, as far as there are any.
func (p *logs) step(s *scene, at place, rows int) (_ place, whole bool) {
	for whole = true; rows != 0 && whole; {
		if rows > 0 {
			at, whole = p.next(s, at)
			rows--
		} else {
			at, whole = p.before(s, at)
			rows++
		}
	}
	return at, whole
}

// valid is a place that is there: records go, others are not shown any more, rows change.
func (p *logs) valid(s *scene, at place) place {
	number := p.shown[p.index(at.record)]
	if number != at.record {
		return place{number, 0}
	}
	return place{number, min(max(at.row, 0), len(p.recordRows(s, number))-1)}
}

// settle has the cursor between the first row and the last that are seen, and leaves no
// row empty where there is something above.
func (p *logs) settle(s *scene) {
	p.at, p.top = p.valid(s, p.at), p.valid(s, p.top)
	if p.at.record < p.top.record || p.at.record == p.top.record && p.at.row < p.top.row {
		p.top = p.at
	}
	seen, bottom := p.top == p.at, p.top
	for n, more := 1, true; n < p.height; n++ {
		if bottom, more = p.next(s, bottom); !more {
			p.top, _ = p.step(s, p.top, n-p.height)
			return
		}
		seen = seen || bottom == p.at
	}
	if !seen {
		p.top, _ = p.step(s, p.at, -(p.height - 1))
	}
}

// follow shows the end from now on.
func (p *logs) follow() { p.paused, p.fresh = false, 0 }

// pause stays where the screen is; the cursor is at the end.
func (p *logs) pause(s *scene) {
	if p.paused || len(p.shown) == 0 {
		return
	}
	p.paused, p.fresh = true, 0
	p.at = p.end(s)
	p.top, _ = p.step(s, p.at, -(p.height - 1))
}

// move handles the keys that move.
func (p *logs) move(s *scene, msg tea.KeyMsg) bool {
	page := max(p.height-1, 1)
	switch {
	case key.Matches(msg, logUp):
		p.moveCursor(s, -1)
	case key.Matches(msg, logDown):
		p.moveCursor(s, 1)
	case key.Matches(msg, logPageUp):
		p.scroll(s, -page)
	case key.Matches(msg, logPageDown):
		p.scroll(s, page)
	case key.Matches(msg, logFirst):
		if p.pause(s); p.paused && len(p.shown) > 0 { // what it paused on may be filtered away
			p.at = place{p.shown[0], 0}
		}
	case key.Matches(msg, logFollow):
		p.follow()
	case key.Matches(msg, logLeft):
		p.slide(-16)
	case key.Matches(msg, logRight):
		p.slide(16)
	default:
		return false
	}
	return true
}

func (p *logs) slide(by int) {
	if !p.wrap {
		p.slid = min(max(p.slid+by, 0), mostDrawn)
		p.redraw()
	}
}

// moveCursor moves it by rows. From the end downwards the end is followed again.
func (p *logs) moveCursor(s *scene, rows int) {
	if len(p.shown) == 0 || !p.paused && rows > 0 {
		return
	}
	p.pause(s)
	var whole bool
	if p.at, whole = p.step(s, p.valid(s, p.at), rows); !whole && rows > 0 {
		p.follow()
	}
}

// scroll moves the screen with the cursor on it.
func (p *logs) scroll(s *scene, rows int) {
	p.read(s)
	if len(p.shown) == 0 || !p.paused && rows > 0 {
		return
	}
	p.pause(s)
	p.settle(s)
	p.at, _ = p.step(s, p.at, rows)
	p.top, _ = p.step(s, p.top, rows)
	if _, whole := p.step(s, p.top, p.height); rows > 0 && !whole {
		p.follow()
	}
}

// unfold shows all of the record under the cursor, or its first line only again. Without
// a cursor it is the last traceback that is seen; it is false where there is none.
func (p *logs) unfold(s *scene) bool {
	if len(p.shown) == 0 {
		return false
	}
	if !p.paused {
		found := false
		at, more := p.end(s), true
		for n := 0; n < p.height && more && !found; n++ {
			if found = p.several(at.record); !found {
				at, more = p.before(s, at)
			}
		}
		if !found {
			return false
		}
		p.pause(s)
		p.at = place{at.record, 0}
	}
	p.at = p.valid(s, p.at)
	r := p.book.at(p.at.record)
	r.toggled = !r.toggled
	p.rows.drop(p.at.record)
	p.reveal(s, p.at.record)
	return true
}

// reveal has the cursor on a record's first row, and as much of the record seen as there
// is room for.
func (p *logs) reveal(s *scene, number int) {
	rows := len(p.recordRows(s, number))
	p.at = place{number, min(rows, p.height) - 1}
	p.settle(s)
	p.at.row = 0
	p.settle(s)
}

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
