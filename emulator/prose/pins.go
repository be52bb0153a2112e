package prose

import (
	"fmt"
	"strings"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// PinCount sums pinned requests up: "3 pass, 1 changed".
func PinCount(f event.Pins) string {
	counts := map[event.PinOutcome]int{}
	for _, v := range f.Verdicts {
		counts[v.Outcome]++
	}
	var parts []string
	for _, outcome := range []event.PinOutcome{event.PinPass, event.PinChanged, event.PinFailed} {
		if n := counts[outcome]; n > 0 {
			word := string(outcome)
			if outcome == event.PinPass && n == 1 {
				word = "passes"
			}
			parts = append(parts, fmt.Sprintf("%d %s", n, word))
		}
	}
	if f.Error != "" {
		parts = append(parts, "some cannot be read")
	}
	return strings.Join(parts, ", ")
}

// PinsPass tells whether all pinned requests are answered as expected.
func PinsPass(f event.Pins) bool {
	for _, v := range f.Verdicts {
		if v.Outcome != event.PinPass {
			return false
		}
	}
	return f.Error == ""
}

// Pins says how the pinned requests do, and why where one does not pass.
func Pins(f event.Pins) string {
	if len(f.Verdicts) == 0 && f.Error == "" {
		return "no request is pinned any more"
	}
	text := "pins: " + PinCount(f)
	for _, v := range f.Verdicts {
		if v.Outcome != event.PinPass {
			text += "\n  " + Pin(v)
		}
	}
	if f.Error != "" {
		text += "\n  " + strings.ReplaceAll(cleanLines(strings.Split(f.Error, "\n")), "\n", "\n  ")
	}
	return text
}

// Pin says how one does.
func Pin(v event.PinVerdict) string {
	text := Clean(v.Name) + " " + string(v.Outcome)
	switch v.Outcome {
	case event.PinPass:
		return Clean(v.Name) + " passes in " + Duration(v.Took)
	case event.PinFailed:
		text = Clean(v.Name) + " FAILED"
	}
	text += ": " + Clean(v.Why)
	if v.Differences > 1 {
		text += fmt.Sprintf(", and %d more", v.Differences-1)
	}
	return text
}
