package tui

import (
	"fmt"
	"slices"

	tea "github.com/charmbracelet/bubbletea"
)

// logSearch is what is looked for in the records that are shown. Its zero value looks for
// nothing.
type logSearch struct {
	text    string
	pattern pattern
	found   []int // the records, by number, in their order
}

func newLogSearch(text string) (logSearch, error) {
	p, err := newPattern(text)
	return logSearch{text: text, pattern: p}, err
}

func (q *logSearch) on() bool { return q.text != "" }

// look notes a record that is shown, where it has a match.
func (q *logSearch) look(p *logs, number int) {
	if !q.on() {
		return
	}
	if i, known := slices.BinarySearch(q.found, number); !known && (inRecord{&p.book, p.book.at(number), p.raw}).has(&q.pattern) {
		q.found = slices.Insert(q.found, i, number)
	}
}

func (q *logSearch) went(first int) {
	i, _ := slices.BinarySearch(q.found, first)
	q.found = q.found[i:]
}

// told says how many there are, and which one the cursor is at.
func (q *logSearch) told(record int, paused bool) string {
	if i, at := slices.BinarySearch(q.found, record); at && paused {
		return fmt.Sprintf("%q %d/%d", q.text, i+1, len(q.found))
	}
	return fmt.Sprintf("%q %d found", q.text, len(q.found))
}

// jump goes to the next record that was found, or with a step below 0 to the one before,
// around the end. The row that has the match is under the cursor.
func (p *logs) jump(s *scene, step int) tea.Cmd {
	found := p.search.found
	if len(found) == 0 {
		return func() tea.Msg {
			return said{text: fmt.Sprintf("%q is in no line that is shown", p.search.text), bad: true}
		}
	}
	p.pause(s)
	from := p.valid(s, p.at).record
	i, at := slices.BinarySearch(found, from)
	if step < 0 {
		i--
	} else if at {
		i++
	}
	round := i < 0 || i >= len(found)
	i = (i + len(found)) % len(found)
	p.goTo(s, found[i])
	if round && len(found) > 1 {
		return say("the search went around the end")
	}
	return nil
}

// goTo has the cursor at the record's first match, unfolded where it is hidden otherwise.
func (p *logs) goTo(s *scene, number int) {
	match := func() int {
		return slices.IndexFunc(p.recordRows(s, number), func(r logRow) bool { return r.found })
	}
	row := match()
	if r := p.book.at(number); row < 0 && !r.toggled {
		r.toggled = true
		p.rows.drop(number)
		row = match()
	}
	p.paused = true
	p.at = place{number, max(row, 0)}
	p.settle(s)
	if p.at == p.top { // what led there is worth seeing
		p.top, _ = p.step(s, p.at, -(p.height / 2))
	}
}
