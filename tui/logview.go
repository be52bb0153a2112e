package tui

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
