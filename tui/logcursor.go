package tui

import (
	"slices"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// place is a row of a record.
type place struct{ record, row int }

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
