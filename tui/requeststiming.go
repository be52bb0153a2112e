package tui

import (
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// timePart is a part of a request's time.
type timePart struct {
	letter, name string
	took         time.Duration
}

// partsOf are a request's time, from its arrival to its end: together they are all of it.
// A part that it did not come to is 0.
func partsOf(f *event.Served) []timePart {
	parts := []timePart{
		{"h", "held for a replica", f.Held},
		{"q", "queued", f.Queued},
		{"c", "connected", 0},
		{"f", "first byte", 0},
		{"d", "done", 0},
	}
	at := f.Held + f.Queued
	for i, until := range []time.Duration{f.Sent, f.FirstByte, f.Took} {
		if until > at {
			parts[2+i].took, at = until-at, until
		}
	}
	return parts
}

// widestBar is how many cells a bar has at most.
const widestBar = 80

// timing writes a request's time as a bar of letters, and what they mean.
func (d *document) timing(f *event.Served) {
	parts := partsOf(f)
	room := max(min(d.width-10, widestBar), 10)
	d.add(toneTitle, rightPad(brief(f.Took), 7))
	spent, drawn := time.Duration(0), 0
	for i, p := range parts {
		spent += p.took
		n := 0
		if f.Took > 0 {
			n = int(int64(room)*int64(min(spent, f.Took))/int64(f.Took)) - drawn
		}
		if p.took > 0 {
			n = max(n, 1) // what was is seen
		}
		n = min(n, room-drawn)
		drawn += max(n, 0)
		d.add(tonePart+tone(i), strings.Repeat(p.letter, max(n, 0)))
	}
	d.end(7)
	d.add(tonePlain, spaces(7))
	first := true
	for i, p := range parts {
		if p.took == 0 {
			continue
		}
		if !first {
			d.add(tonePlain, "  ")
		}
		first = false
		d.add(tonePart+tone(i), p.name)
		d.add(tonePlain, " "+brief(p.took))
	}
	d.end(7)
}

func rightPad(text string, width int) string { return text + spaces(width-cells(text)) }
