package tui

import "strings"

// cardPart is a part of a card: its head, or what stands behind one label.
type cardPart struct {
	label string // as "why"; empty at the head
	lines []string
}

// cardYields are the parts that give way where a card has not the room: the first of
// these first. What happened, why, and what to do next stay longest; the log is in Logs.
var cardYields = []string{"memory", "probe", "cause", "log", "why"}

// card draws a card's text in so many lines at most; its first line and what to do next
// stand out. Lines of a log are cut, not wrapped: what stands below what matters there.
func card(s *scene, text string, width, room int) []string {
	parts := cardParts(s, text, width)
	yield(parts, room)
	var lines []string
	for _, p := range parts {
		style := s.plain
		switch p.label {
		case "":
			style = s.badBad
		case "next":
			style = s.bold
		}
		for _, line := range p.lines {
			lines = append(lines, " "+style.Render(line))
		}
	}
	return lines
}

// yield takes away so much that the rest has room.
func yield(parts []cardPart, room int) {
	over := -room
	for _, p := range parts {
		over += len(p.lines)
	}
	take := func(label string, least int) {
		for i := range parts {
			p := &parts[i]
			if p.label != label || over <= 0 || len(p.lines) <= least {
				continue
			}
			n := min(over, len(p.lines)-least)
			over -= n
			if label == "log" { // the last line tells most
				label := p.lines[0][:labelWidth]
				p.lines = p.lines[n:]
				if len(p.lines) > 0 {
					p.lines[0] = label + p.lines[0][labelWidth:]
				}
			} else {
				p.lines = p.lines[:len(p.lines)-n]
			}
		}
	}
	take("log", logLeast)
	take("why", whyLeast)
	for _, label := range cardYields {
		take(label, 0)
	}
}

// So many lines of the log, and of the why, which may quote an answer, stay longer than
// lesser parts.
const logLeast, whyLeast = 2, 3

// labelWidth is where prose.Card begins what a label is before.
const labelWidth = 10

func cardParts(s *scene, text string, width int) []cardPart {
	var parts []cardPart
	for line := range strings.SplitSeq(text, "\n") {
		label, _, labelled := strings.Cut(strings.TrimPrefix(line, "  "), ":")
		if len(parts) == 0 || labelled && strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "   ") {
			if len(parts) == 0 {
				label = ""
			}
			parts = append(parts, cardPart{label: label})
		}
		p := &parts[len(parts)-1]
		rows := []string{s.fit(line, width-2)}
		if p.label != "log" {
			rows = wrap(line, width-2, labelWidth)
		}
		p.lines = append(p.lines, rows...)
	}
	return parts
}
