package prose

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

func cleanLines(lines []string) string {
	cleaned := make([]string, len(lines))
	for i, line := range lines {
		cleaned[i] = Clean(line)
	}
	return strings.Join(cleaned, "\n")
}

func ordinal(n int) string {
	switch {
	case n%10 == 1 && n%100 != 11:
		return fmt.Sprintf("%dst", n)
	case n%10 == 2 && n%100 != 12:
		return fmt.Sprintf("%dnd", n)
	case n%10 == 3 && n%100 != 13:
		return fmt.Sprintf("%drd", n)
	}
	return fmt.Sprintf("%dth", n)
}

// Memory is an amount of memory for people.
func Memory(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%.1fGi", float64(n)/(1<<30))
	case n >= 10<<20 || n == 0:
		return fmt.Sprintf("%.0fMi", float64(n)/(1<<20))
	default:
		return fmt.Sprintf("%.1fMi", float64(n)/(1<<20))
	}
}

// Clock is the time of day here, to the second.
func Clock(at time.Time) string { return at.Local().Format(time.TimeOnly) }

// ShortID is a container's id as people know it.
func ShortID(id string) string {
	if len(id) == 64 {
		return id[:12]
	}
	return id
}

// Clean makes foreign text safe to print: colours are dropped, and what a terminal
// would interpret is shown as an escape, what turns the direction of text included.
func Clean(text string) string {
	text = ansi.Strip(text)
	if !strings.ContainsFunc(text, interpreted) {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		switch {
		case !interpreted(r):
			out.WriteRune(r)
		case r > 0xff:
			fmt.Fprintf(&out, "\\u%04x", r)
		default:
			fmt.Fprintf(&out, "\\x%02x", r)
		}
	}
	return out.String()
}

// interpreted tells the characters that a terminal does not show but obeys.
func interpreted(r rune) bool {
	return r != '\t' && unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
}

// Duration gives a duration two or three digits that mean something.
func Duration(d time.Duration) string {
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		if d >= unit {
			return d.Round(unit / 100).String()
		}
	}
	return d.String()
}
