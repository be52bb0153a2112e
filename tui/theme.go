package tui

import (
	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// theme is how things look. Colours are the terminal's own 16.
type theme struct {
	plain, faint, bold         lipgloss.Style
	good, warn, bad, accent    lipgloss.Style
	goodBold, warnBold, badBad lipgloss.Style // of words that must be seen
	key, chosen, mark          lipgloss.Style // a key's name, the row under the cursor, what a search found
	sources                    []lipgloss.Style
	glyphs                     glyphs
}

// glyphs are signs of one cell each.
type glyphs struct {
	ready, idle, busy, again, failed, stopping string
	ok, ellipsis, bullet, arrow, bar, shade    string
	border, thick                              lipgloss.Border
	sparks                                     []rune // from low to high
	ascii                                      bool   // whether all of them are
}

var unicodeGlyphs = glyphs{
	ready: "●", idle: "○", busy: "◐", again: "↻", failed: "✗", stopping: "◌",
	ok: "·", ellipsis: "…", bullet: "›", arrow: "→", bar: "█", shade: "░",
	border: lipgloss.NormalBorder(), thick: lipgloss.ThickBorder(),
	sparks: []rune("▁▂▃▄▅▆▇█"),
}

// asciiGlyphs are for terminals that are not in UTF-8.
var asciiGlyphs = glyphs{
	ready: "*", idle: "o", busy: "~", again: "@", failed: "x", stopping: "-",
	ok: ".", ellipsis: "~", bullet: ">", arrow: ">", bar: "#", shade: ".",
	border: lipgloss.ASCIIBorder(),
	thick:  lipgloss.Border{Top: "=", Bottom: "=", Left: "|", Right: "|", TopLeft: "#", TopRight: "#", BottomLeft: "#", BottomRight: "#"},
	sparks: []rune("_.-=+*#@"),
	ascii:  true,
}

// newTheme makes styles for a terminal that shows so many colours.
func newTheme(profile termenv.Profile, ascii bool) *theme {
	r := lipgloss.NewRenderer(nil)
	r.SetColorProfile(profile)
	style := r.NewStyle
	colour := func(n string) lipgloss.Style { return style().Foreground(lipgloss.Color(n)) }
	t := &theme{
		plain: style(), faint: style().Faint(true), bold: style().Bold(true),
		good: colour("2"), warn: colour("3"), bad: colour("1"), accent: colour("6"),
		goodBold: colour("2").Bold(true), warnBold: colour("3").Bold(true), badBad: colour("1").Bold(true),
		key: colour("6").Bold(true), chosen: style().Reverse(true), mark: colour("3").Bold(true).Underline(true),
		sources: []lipgloss.Style{colour("6"), colour("5"), colour("4"), colour("2"), colour("3")},
		glyphs:  unicodeGlyphs,
	}
	if ascii {
		t.glyphs = asciiGlyphs
	}
	return t
}

// phase is a phase's glyph and how it and its word look.
func (t *theme) phase(p event.Phase) (glyph string, style lipgloss.Style) {
	switch p {
	case event.PhaseReady:
		return t.glyphs.ready, t.goodBold
	case event.PhaseIdle, event.PhasePending:
		return t.glyphs.idle, t.bold
	case event.PhaseBackOff:
		return t.glyphs.again, t.badBad
	case event.PhaseFailed:
		return t.glyphs.failed, t.badBad
	case event.PhaseStopping, event.PhaseStopped:
		return t.glyphs.stopping, t.bold
	}
	return t.glyphs.busy, t.warnBold
}
