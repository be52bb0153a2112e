package tui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/tui/filter"
)

// requestColumns are the widths of the columns of the list of requests; 0 is one that
// there is no room for.
type requestColumns struct {
	time, status, took, queue, model, revision, in, out, replica int
	route                                                        int
}

// leastRoute is how wide the route is before another column gets room.
const leastRoute = 30

// columnsOf divides a width. The status has as much as it needs, within bounds.
func columnsOf(width, status int) requestColumns {
	most := 6 // a status of HTTP; of gRPC's a beginning
	if width >= 56 {
		most = 11
	}
	if width >= 100 {
		most = 19 // the longest of gRPC's
	}
	c := requestColumns{time: 8, status: min(max(status, 4), most), took: 6}
	rest := width - 3 - (c.time + 1) - (2 + c.status + 1) - (c.took + 1)
	take := func(more int, columns ...*int) {
		if rest-more < leastRoute {
			return
		}
		rest -= more
		for i, column := range columns {
			*column = [...]int{6, 6}[i]
		}
	}
	take(7+7, &c.queue, &c.model)
	if rest-4 >= leastRoute {
		c.revision, rest = 3, rest-4
	}
	take(7+7, &c.in, &c.out)
	if rest-6 >= leastRoute {
		c.replica, rest = 5, rest-6
	}
	if rest-4 >= leastRoute+20 {
		c.time, rest = 12, rest-4 // with milliseconds
	}
	c.route = max(rest, 1)
	return c
}

// head names the columns.
func (c requestColumns) head(s *scene, grpc bool) string {
	route := "REQUEST"
	if grpc {
		route = "METHOD"
	}
	var line strings.Builder
	line.WriteString("   " + s.fit("TIME", c.time) + " " + s.fit("STATUS", 2+c.status) + " " + s.fit(route, c.route))
	for _, column := range []struct {
		name  string
		width int
	}{{"QUEUE", c.queue}, {"MODEL", c.model}, {"TOTAL", c.took}, {"IN", c.in}, {"OUT", c.out}, {"REV", c.revision}, {"POD", c.replica}} {
		if column.width > 0 {
			line.WriteString(" " + rightIn(s, column.name, column.width))
		}
	}
	return s.faint.Render(strings.TrimRight(line.String(), " "))
}

func rightIn(s *scene, text string, width int) string {
	if n := cells(text); n < width {
		return spaces(width-n) + text
	}
	return s.fit(text, width)
}

// row draws a request: mark is a letter before it, at tells that the cursor is on it.
func (c requestColumns) row(s *scene, e *event.Event, served *event.Served, pod, mark string, at bool) string {
	pointer := " "
	if at {
		pointer = s.glyphs.bullet
	}
	if mark == "" {
		mark = " "
	}
	glyph, style := requestLook(s, served)
	clock := e.Time.Local().Format(time.TimeOnly)
	if c.time > 8 {
		clock = e.Time.Local().Format("15:04:05.000")
	}
	wait := served.Held + served.Queued
	model, queue := "-", "-"
	if served.Sent > 0 || served.FirstByte > 0 {
		model = brief(served.Took - wait)
	}
	if wait > 0 {
		queue = brief(wait)
	}
	revision := "-"
	if e.Revision > 0 {
		revision = strconv.Itoa(e.Revision)
	}
	if pod == "" {
		pod = served.Replica
	}
	numbered := []struct {
		text  string
		width int
	}{{queue, c.queue}, {model, c.model}, {brief(served.Took), c.took}, {volume(served.BytesIn), c.in}, {volume(served.BytesOut), c.out}, {revision, c.revision}, {orDash(legible(pod)), c.replica}}
	var numbers strings.Builder
	for _, cell := range numbered {
		if cell.width > 0 {
			numbers.WriteString(" " + rightIn(s, cell.text, cell.width))
		}
	}
	route, trouble := c.routed(s, served)
	if at && s.focused {
		return s.chosen.Render(pointer + mark + " " + clock + " " + glyph + " " + s.fit(requestWord(served), c.status) + " " + route + trouble + numbers.String())
	}
	return pointer + s.key.Render(mark) + " " + s.faint.Render(clock) + " " + style.Render(glyph+" "+s.fit(requestWord(served), c.status)) + " " + route + s.bad.Render(trouble) + numbers.String()
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// routed is the method and route of a request, then what went wrong where there is room
// for it; both together are as wide as the column. A route that is too long loses its
// beginning: its end tells them apart.
func (c requestColumns) routed(s *scene, served *event.Served) (route, trouble string) {
	route = routeOf(served)
	width := cells(route)
	if width > c.route {
		cut := ansi.TruncateLeft(route, width-c.route+1, "")
		return s.fit(s.glyphs.ellipsis+cut, c.route), ""
	}
	trouble = served.Error
	if served.Fault != "" {
		trouble = strings.TrimSuffix("FAULT "+served.Fault+": "+served.Error, ": ")
	}
	if room := c.route - width - 2; trouble != "" && room >= 8 {
		return route + "  ", s.fit(legible(firstLine(trouble)), room)
	}
	return s.fit(route, c.route), ""
}

// routeOf is a request's method and path, of gRPC its full method alone.
func routeOf(served *event.Served) string {
	if served.GRPCStatus != nil {
		return legible(served.Path)
	}
	return legible(served.Method + " " + served.Path)
}

// requestWord is how a request ended, in a word: its status, by name where it is gRPC's.
func requestWord(served *event.Served) string {
	switch {
	case served.GRPCStatus != nil:
		return prose.GRPCCode(*served.GRPCStatus)
	case filter.BrokenOff(served):
		return "BROKEN"
	case served.Status == 0:
		return "-"
	}
	return strconv.Itoa(served.Status)
}

// requestLook is the glyph and the style of how a request ended.
func requestLook(s *scene, served *event.Served) (string, lipgloss.Style) {
	switch {
	case filter.Failed(served):
		return s.glyphs.failed, s.badBad
	case served.Refused():
		return "!", s.warn
	}
	return s.glyphs.ok, s.good
}

// brief is a duration of six cells at most.
func brief(d time.Duration) string {
	switch d = max(d, 0); {
	case d == 0:
		return "-"
	case d < time.Millisecond:
		return fmt.Sprintf("%dµs", max(d.Microseconds(), 1))
	case d < 10*time.Second-5*time.Millisecond && d >= time.Second-500*time.Microsecond:
		return fmt.Sprintf("%.2fs", d.Seconds())
	case d < 10*time.Millisecond-5*time.Microsecond:
		return fmt.Sprintf("%.2fms", d.Seconds()*1e3)
	case d < 100*time.Millisecond-50*time.Microsecond:
		return fmt.Sprintf("%.1fms", d.Seconds()*1e3)
	case d < time.Second:
		return fmt.Sprintf("%.0fms", d.Seconds()*1e3)
	case d < 100*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	if d < 100*time.Hour {
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dh", int(d.Hours()))
}

// volume is a number of bytes of six cells at most.
func volume(n int64) string {
	if n == 0 {
		return "-"
	}
	if n < 1000 {
		return fmt.Sprintf("%dB", n)
	}
	v := float64(n)
	for _, unit := range []string{"Ki", "Mi", "Gi", "Ti", "Pi", "Ei"} {
		if v /= 1024; v < 9.995 {
			return fmt.Sprintf("%.2f%s", v, unit)
		} else if v < 99.95 {
			return fmt.Sprintf("%.1f%s", v, unit)
		} else if v < 1000 {
			return fmt.Sprintf("%.0f%s", v, unit)
		}
	}
	return ">999Ei" // int64 has no more than 8
}
