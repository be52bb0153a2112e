package tui

import (
	"time"

	"github.com/charmbracelet/x/ansi"
)

// The columns of the list, in cells.
const (
	valueCells = 11
	typeCells  = 9
)

// table is the list of series: pinned ones on top.
func (o *ownMetrics) table(s *scene, width, height int, window time.Duration) []string {
	if height < 2 {
		return nil
	}
	kind, spark := 0, 0
	switch {
	case width >= 90:
		kind, spark = typeCells+1, 24
	case width >= 72:
		kind, spark = typeCells+1, 14
	case width >= 52:
		kind = typeCells + 1
	}
	name := width - 2 - kind - 1 - valueCells - 1
	if spark > 0 {
		name -= spark + 1
	}
	head := "  " + s.fit("series", name) + s.fit(" type", kind) + " " + alignRight("now", valueCells)
	if spark > 0 {
		head += " " + s.fit(s.timeAxis(window, spark), spark)
	}
	lines := []string{s.faint.Render(head)}
	if len(o.list) == 0 {
		return append(lines, s.faint.Render(s.fit("  no series has these words", width)))
	}
	o.pages = height - 1
	at := o.chosen()
	o.top = min(max(o.top, at-o.pages+1), at)
	o.top = max(min(o.top, len(o.list)-o.pages), 0)
	for i := o.top; i < min(o.top+o.pages, len(o.list)); i++ {
		lines = append(lines, o.row(s, i, i == at, rowForm{name, kind, spark, window}))
	}
	return lines
}

// rowForm is how a row is divided, in cells.
type rowForm struct {
	name, kind, spark int
	window            time.Duration
}

func (o *ownMetrics) row(s *scene, i int, chosen bool, form rowForm) string {
	r := o.list[i]
	cursor, mark := " ", " "
	if chosen {
		cursor = s.glyphs.bullet
	}
	if i < o.held {
		mark = s.pinMark()
	}
	text := cursor + mark + s.fit(s.middle(r.name, form.name), form.name)
	value := alignRight(r.value(s), valueCells)
	kind := ""
	switch {
	case i < o.held && form.spark == 0 && form.kind > 0: // its curve says more than its type
		kind = " " + s.curveRow(r, form.kind-1, form.window)
	case form.kind > 0:
		kind = " " + s.fit(string(r.family.Type), form.kind-1)
	}
	curve := ""
	if form.spark > 0 {
		curve = " " + s.curveRow(r, form.spark, form.window)
	}
	if chosen && s.focused {
		return s.theme.chosen.Render(text + kind + " " + value + curve)
	}
	if chosen {
		text = s.bold.Render(text)
	}
	if i < o.held && form.spark == 0 {
		kind = s.accent.Render(kind)
	} else {
		kind = s.faint.Render(kind)
	}
	return text + kind + " " + s.bold.Render(value) + s.accent.Render(curve)
}

// middle cuts a name in its middle where it is too wide: its labels tell it from others.
func (s *scene) middle(name string, width int) string {
	w := ansi.StringWidth(name)
	if w <= width || width < 8 {
		return name
	}
	head := width * 2 / 5
	tail := width - head - ansi.StringWidth(s.glyphs.ellipsis)
	return ansi.Truncate(name, head, "") + s.glyphs.ellipsis + ansi.TruncateLeft(name, w-tail, "")
}

// pinMark stands before what is pinned.
func (s *scene) pinMark() string {
	if s.glyphs.ascii {
		return "^"
	}
	return "▴"
}

// curveRow is a row's curve in one line; a time has none.
func (s *scene) curveRow(r *series, width int, window time.Duration) string {
	if r.unit == asInstant {
		return spaces(width)
	}
	c := r.curve(periodOf(s.now, window, width))
	return s.spark(c.columns, 1, r.axis(&c))[0]
}

// pinRow is a pinned series among the port's numbers: its value is where their highest is,
// so that its name has room.
func (s *scene) pinRow(r *series, before, room int, window time.Duration) string {
	c := r.curve(periodOf(s.now, window, room))
	name := before - 1 - 1 - valueCells - 2
	text := " " + s.fit(s.middle(s.pinMark()+r.name, name), name) + " " + s.bold.Render(alignRight(r.value(s), valueCells))
	return s.fit(text, before) + s.accent.Render(s.spark(c.columns, 1, r.axis(&c))[0])
}
