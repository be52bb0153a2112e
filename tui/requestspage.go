package tui

import (
	"fmt"
	"regexp"
	"sort"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"
)

// pageRow is a line of a page: of one document, or of two side by side.
type pageRow struct {
	left, right *docLine // nil is an empty line
	split       int      // the left one's width; 0 where there is only that
}

// page is a text in which a person scrolls and searches. It is laid out once for a width.
type page struct {
	// lay lays it out; stale asks for that to be done again.
	lay   func(s *scene, width int) []pageRow
	stale bool

	width int
	rows  []pageRow
	pager pager

	asking  bool // the text to look for is being typed
	input   textinput.Model
	pattern *regexp.Regexp // nil where nothing is looked for
	found   []found
	at      int // of those
}

// found is where the text that is looked for stands.
type found struct {
	row, side int
	hit
}

var (
	pageFind       = bind("find", "/")
	pageFindNext   = bind("next that was found", "n")
	pageFindBefore = bind("the one before", "N")
)

func (p *page) keys() []key.Binding {
	next, before := pageFindNext, pageFindBefore
	next.SetEnabled(len(p.found) > 0)
	before.SetEnabled(len(p.found) > 0)
	return append([]key.Binding{pageFind, next, before}, p.pager.keys()...)
}

func (p *page) press(msg tea.KeyMsg) bool {
	if p.asking {
		p.typeKey(msg)
		return true
	}
	switch {
	case key.Matches(msg, pageFind):
		p.asking, p.input = true, newInput("")
	case key.Matches(msg, pageFindNext) && len(p.found) > 0:
		p.goTo(p.at + 1)
	case key.Matches(msg, pageFindBefore) && len(p.found) > 0:
		p.goTo(p.at - 1 + len(p.found))
	default:
		return p.pager.press(msg)
	}
	return true
}

// typeKey takes a key of the text to look for, which is looked for while it is typed.
func (p *page) typeKey(msg tea.KeyMsg) {
	switch msg.String() {
	case "esc":
		p.asking = false
		p.look("")
		return
	case "enter":
		p.asking = false
		return
	}
	p.input, _ = p.input.Update(msg)
	p.look(p.input.Value())
}

// look finds a text; the letters' case makes a difference where it has a large one.
func (p *page) look(text string) {
	p.pattern = nil
	if text != "" {
		expression := regexp.QuoteMeta(text)
		if strings.ToLower(text) == text {
			expression = "(?i)" + expression
		}
		p.pattern = regexp.MustCompile(expression) // a quoted text always is one
	}
	p.find()
	from := sort.Search(len(p.found), func(i int) bool { return p.found[i].row >= p.pager.top })
	if len(p.found) > 0 {
		p.goTo(from)
	}
}

// mostFound is how many places are found at most.
const mostFound = 10_000

// find looks through the page as it is laid out. Lines that were too long are one text.
func (p *page) find() {
	p.found, p.at = nil, 0
	if p.pattern == nil {
		return
	}
	for side := range 2 {
		for row := 0; row < len(p.rows) && len(p.found) < mostFound; {
			row = p.findFrom(row, side)
		}
	}
	sort.SliceStable(p.found, func(i, j int) bool { return p.found[i].row < p.found[j].row })
}

func (r *pageRow) side(side int) *docLine {
	if side == 0 {
		return r.left
	}
	return r.right
}

// findFrom looks through the line that begins in a row, and returns the row after it.
func (p *page) findFrom(row, side int) (next int) {
	first := p.rows[row].side(side)
	if first == nil {
		return row + 1
	}
	next = row + 1
	text := first.text
	if next < len(p.rows) && continues(p.rows[next].side(side)) {
		var whole strings.Builder
		whole.WriteString(text)
		for ; next < len(p.rows) && continues(p.rows[next].side(side)); next++ {
			whole.WriteString(p.rows[next].side(side).text)
		}
		text = whole.String()
	}
	for _, m := range p.pattern.FindAllStringIndex(text, -1) {
		begin := 0
		for r := row; r < next && begin < m[1]; r++ {
			end := begin + len(p.rows[r].side(side).text)
			if m[0] < end && m[1] > begin {
				p.found = append(p.found, found{r, side, hit{from: max(m[0]-begin, 0), to: min(m[1], end) - begin}})
			}
			begin = end
		}
	}
	return next
}

func continues(l *docLine) bool { return l != nil && l.joined }

// goTo shows the i-th place that was found, around the end.
func (p *page) goTo(i int) {
	p.at = i % len(p.found)
	row := p.found[p.at].row
	if row < p.pager.top || row >= p.pager.top+p.pager.height {
		p.pager.top = max(row-p.pager.height/3, 0)
	}
}

// draw gives the visible lines; the last one is the search's, while there is one.
func (p *page) draw(s *scene, width, height int) []string {
	if p.width != width || p.stale || p.rows == nil {
		p.width, p.stale = width, false
		p.rows = p.lay(s, max(width-margin, 1))
		at := p.at
		p.find()
		p.at = max(min(at, len(p.found)-1), 0)
	}
	searching := p.asking || p.pattern != nil
	if searching {
		height--
	}
	p.pager.height, p.pager.lines = height, len(p.rows)
	p.pager.top = min(max(p.pager.top, 0), max(len(p.rows)-height, 0))
	end := min(p.pager.top+max(height, 0), len(p.rows))
	lines := make([]string, 0, height+1)
	for i := p.pager.top; i < end; i++ {
		lines = append(lines, p.gutter(s, i)+p.line(s, i))
	}
	if searching {
		for len(lines) < height {
			lines = append(lines, "")
		}
		lines = append(lines, p.searchLine(s, width))
	}
	return lines
}

// margin is how many cells are left of a page.
const margin = 1

// gutter is the margin of a line: a sign where the search is.
func (p *page) gutter(s *scene, row int) string {
	if len(p.found) > 0 && p.found[p.at].row == row {
		return s.key.Render(s.glyphs.bullet)
	}
	return spaces(margin)
}

func (p *page) line(s *scene, i int) string {
	row := &p.rows[i]
	left := ""
	if row.left != nil {
		left = row.left.render(s.theme, p.hits(i, 0))
	}
	if row.split == 0 {
		return left
	}
	line := s.fit(left, row.split) + s.faint.Render(" "+s.glyphs.border.Left+" ")
	if row.right != nil {
		line += row.right.render(s.theme, p.hits(i, 1))
	}
	return line
}

// hits are what was found in a line.
func (p *page) hits(row, side int) []hit {
	var hits []hit
	for i := sort.Search(len(p.found), func(i int) bool { return p.found[i].row >= row }); i < len(p.found) && p.found[i].row == row; i++ {
		if p.found[i].side == side {
			h := p.found[i].hit
			h.here = i == p.at
			hits = append(hits, h)
		}
	}
	return hits
}

func (p *page) searchLine(s *scene, width int) string {
	text := s.key.Render("find /")
	if p.asking {
		text += typed(s, p.input)
	} else {
		text += legible(p.input.Value())
	}
	right := "nothing has it"
	switch {
	case p.pattern == nil:
		right = ""
	case len(p.found) > 0:
		right = fmt.Sprintf("line %d: %d of %d", p.found[p.at].row+1, p.at+1, len(p.found))
	}
	return s.ends(" "+text, s.faint.Render(right), width)
}

// rowsOf puts documents' lines into rows below each other.
func rowsOf(d *document) []pageRow {
	rows := make([]pageRow, len(d.lines))
	for i := range d.lines {
		rows[i].left = &d.lines[i]
	}
	return rows
}

// besideRows puts two documents side by side.
func besideRows(left, right *document) []pageRow {
	rows := make([]pageRow, max(len(left.lines), len(right.lines)))
	for i := range rows {
		rows[i].split = left.width
		if i < len(left.lines) {
			rows[i].left = &left.lines[i]
		}
		if i < len(right.lines) {
			rows[i].right = &right.lines[i]
		}
	}
	return rows
}
