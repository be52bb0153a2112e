package tui

import (
	"fmt"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
)

// mostPinLines is how many lines the pins have above the list of revisions.
const mostPinLines = 6

// pins says how the pinned requests do, those that do not pass with why.
func (p *builds) pins(s *scene, width int) []string {
	all := s.model.Pins
	if all == nil {
		return nil
	}
	title, style := fmt.Sprintf(" pins on revision %d: %s", all.Revision, prose.PinCount(all.Pins)), s.good
	if !prose.PinsPass(all.Pins) {
		style = s.badBad
	}
	lines := []string{style.Render(s.fit(title, width))}
	add := func(text string) {
		for _, l := range wrap(text, width-3, 2) {
			lines = append(lines, "   "+l)
		}
	}
	for _, v := range all.Verdicts {
		if v.Outcome != event.PinPass {
			add(prose.Pin(v))
		}
	}
	for _, line := range strings.Split(all.Error, "\n") {
		if line != "" {
			add(prose.Clean(line))
		}
	}
	if over := len(lines) - mostPinLines; over > 0 {
		lines = append(lines[:mostPinLines], " "+s.faint.Render(fmt.Sprintf("  and %d more lines: `merlin-local pin run` has all", over)))
	}
	return lines
}
