package tui

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/caraml-dev/merlin-local/emulator/prose"
)

// fit makes a line exactly so wide: it is cut, with an ellipsis, or filled with spaces.
func (t *theme) fit(line string, width int) string {
	if width <= 0 {
		return ""
	}
	w := ansi.StringWidth(line)
	if w > width {
		line = ansi.Truncate(line, width, t.glyphs.ellipsis)
		w = ansi.StringWidth(line)
	}
	return line + spaces(width-w)
}

// block makes lines exactly so many, each exactly so wide.
func (t *theme) block(lines []string, width, height int) []string {
	out := make([]string, max(height, 0))
	for i := range out {
		line := ""
		if i < len(lines) {
			line = lines[i]
		}
		out[i] = t.fit(line, width)
	}
	return out
}

func spaces(n int) string { return strings.Repeat(" ", max(n, 0)) }

// ends puts one text at the left and one at the right of a line of that width; the
// right one gives way.
func (t *theme) ends(left, right string, width int) string {
	room := width - ansi.StringWidth(left) - 1
	if room < ansi.StringWidth(right) {
		if room < 4 {
			return t.fit(left, width)
		}
		right = ansi.Truncate(right, room, t.glyphs.ellipsis)
	}
	return left + spaces(width-ansi.StringWidth(left)-ansi.StringWidth(right)) + right
}

// asciiFor are what stands for the signs that words of ours have, and others' often.
var asciiFor = strings.NewReplacer("µ", "u", "μ", "u", "…", "~", "─", "-", "│", "|", "→", ">", "×", "x", "·", ".", "–", "-", "—", "-", "‘", "'", "’", "'", "“", `"`, "”", `"`)

// shownIn is a text as the terminal can show it: one that is not in UTF-8 gets ASCII, of
// the same width.
func (t *theme) shownIn(text string) string {
	if !t.glyphs.ascii {
		return text
	}
	text = asciiFor.Replace(text)
	var out strings.Builder
	out.Grow(len(text))
	var state byte
	for len(text) > 0 {
		seq, width, n, next := ansi.DecodeSequence(text, state, nil)
		if n > 1 && width > 0 { // an escape sequence has no width
			seq = strings.Repeat("?", width)
		}
		out.WriteString(seq)
		state, text = next, text[n:]
	}
	return out.String()
}

// wrap breaks a text that is safe to print into lines of that width, further lines
// indented by so many cells.
func wrap(text string, width, indent int) []string {
	if width <= indent+1 {
		return []string{text}
	}
	var lines []string
	for _, line := range strings.Split(text, "\n") {
		first := true
		for {
			room, in := width, ""
			if !first {
				room, in = width-indent, spaces(indent)
			}
			if ansi.StringWidth(line) <= room {
				lines = append(lines, in+line)
				break
			}
			head := ansi.Truncate(line, room, "")
			if at := strings.LastIndexByte(head, ' '); at > room/2 {
				head = head[:at]
			}
			lines = append(lines, in+head)
			line = strings.TrimPrefix(line[len(head):], " ")
			first = false
		}
	}
	return lines
}

// ago is how long something has lasted, in one unit.
func ago(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// count is a number with few digits: 950, 1.2k, 3.4M.
func count[N int | int64 | uint64](n N) string {
	switch {
	case n < 10_000:
		return fmt.Sprint(n)
	case n < 1_000_000:
		return trimZero(fmt.Sprintf("%.1f", float64(n)/1e3)) + "k"
	}
	return trimZero(fmt.Sprintf("%.1f", float64(n)/1e6)) + "M"
}

func trimZero(text string) string { return strings.TrimSuffix(text, ".0") }

// rate is how many a second.
func rate(perSecond float64) string {
	if perSecond >= 100 || perSecond == 0 {
		return count(int64(perSecond + 0.5))
	}
	return fmt.Sprintf("%.1f", perSecond)
}

// size is a number of bytes.
func size(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%dB", n)
	case n < 1<<20:
		return trimZero(fmt.Sprintf("%.1f", float64(n)/(1<<10))) + "Ki"
	case n < 1<<30:
		return trimZero(fmt.Sprintf("%.1f", float64(n)/(1<<20))) + "Mi"
	}
	return trimZero(fmt.Sprintf("%.2f", float64(n)/(1<<30))) + "Gi"
}

// took is a duration, in few cells; "-" where there was none.
func took(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return prose.Duration(d)
}

// plural is a number of things.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// firstLine is a text's first line, for where only one fits.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
