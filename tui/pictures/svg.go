package main

import (
	"fmt"
	"html"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// A cell of the picture in its units, and the room around the screen.
const (
	cellWidth, cellHeight = 8.4, 17.0
	margin                = 12.0
)

// palette are the terminal's 16 colours, then what text and page are without one.
var palette = [16]string{
	"#1d2433", "#e0556a", "#7fb069", "#d9a441", "#5a8fd6", "#b57edc", "#4fb3bf", "#c8d0dc",
	"#5c677d", "#ff7a8a", "#a3d977", "#f2c96d", "#82b1ff", "#d4a5f5", "#7fdbe6", "#ffffff",
}

const foreground, background = "#d5dbe5", "#151a24"

// look is how a cell looks.
type look struct {
	fore, back                        string
	bold, faint, underlined, reversed bool
}

// colours are what is drawn: reversed ones are exchanged.
func (l look) colours() (fore, back string) {
	fore, back = l.fore, l.back
	if fore == "" {
		fore = foreground
	}
	if l.reversed {
		if back == "" {
			back = background
		}
		return back, fore
	}
	return fore, back
}

// svg draws a screen: lines of text with SGR sequences, as tmux captures it.
func svg(lines []string, width int) string {
	var out strings.Builder
	w, h := float64(width)*cellWidth+2*margin, float64(len(lines))*cellHeight+2*margin
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">`+"\n", w, h)
	fmt.Fprintf(&out, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", background)
	for row, line := range lines {
		drawLine(&out, line, margin+float64(row)*cellHeight)
	}
	out.WriteString("</svg>\n")
	return out.String()
}

// drawLine draws runs of cells that look the same. Every run says how wide it is, so that
// columns stay where they are whatever font is found.
func drawLine(out *strings.Builder, line string, y float64) {
	now, column := look{}, 0
	var run strings.Builder
	flush := func() {
		text := run.String()
		run.Reset()
		cells := ansi.StringWidth(text)
		x := margin + float64(column)*cellWidth
		column += cells
		fore, back := now.colours()
		if back != "" {
			fmt.Fprintf(out, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`, x, y, float64(cells)*cellWidth, cellHeight, back)
		}
		if strings.TrimSpace(text) == "" {
			return
		}
		style := ""
		if now.bold {
			style += ` font-weight="bold"`
		}
		if now.faint {
			style += ` opacity="0.6"`
		}
		if now.underlined {
			style += ` text-decoration="underline"`
		}
		fmt.Fprintf(out, `<text x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs" xml:space="preserve" fill="%s"%s>%s</text>`+"\n",
			x, y+13, float64(cells)*cellWidth, fore, style, html.EscapeString(text))
	}
	for line != "" {
		if rest, found := strings.CutPrefix(line, "\x1b["); found {
			parameters, after, _ := strings.Cut(rest, "m")
			flush()
			now = now.after(parameters)
			line = after
			continue
		}
		end := strings.IndexByte(line, 0x1b)
		if end <= 0 {
			end = len(line)
		}
		run.WriteString(line[:end])
		line = line[end:]
	}
	flush()
}

// after is the look after a sequence's parameters.
func (l look) after(parameters string) look {
	numbers := strings.Split(parameters, ";")
	for i := 0; i < len(numbers); i++ {
		n, _ := strconv.Atoi(numbers[i]) // an empty one is 0
		switch {
		case n == 0:
			l = look{}
		case n == 1:
			l.bold = true
		case n == 2:
			l.faint = true
		case n == 4:
			l.underlined = true
		case n == 7:
			l.reversed = true
		case n == 22:
			l.bold, l.faint = false, false
		case n == 24:
			l.underlined = false
		case n == 27:
			l.reversed = false
		case n >= 30 && n <= 37:
			l.fore = palette[n-30]
		case n == 39:
			l.fore = ""
		case n >= 40 && n <= 47:
			l.back = palette[n-40]
		case n == 49:
			l.back = ""
		case n >= 90 && n <= 97:
			l.fore = palette[n-82]
		case n >= 100 && n <= 107:
			l.back = palette[n-92]
		}
	}
	return l
}
