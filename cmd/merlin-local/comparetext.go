package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/muesli/termenv"

	"github.com/caraml-dev/merlin-local/emulator/prose"
	"github.com/caraml-dev/merlin-local/proxy/capture/compare"
)

// mostShown is how many places a person is shown; JSON has more.
const mostShown = 20

func (r *comparison) write(w io.Writer, form string) error {
	if form == outputJSON {
		return writeIndented(w, r)
	}
	_, err := io.WriteString(w, r.text(coloursOf(w)))
	return err
}

// diffColours mark the two sides; in the profile of no colours they are left out.
type diffColours struct{ termenv.Profile }

// coloursOf are those of a terminal, and none of anything else.
func coloursOf(w io.Writer) diffColours {
	if file, is := w.(*os.File); is {
		return diffColours{termenv.NewOutput(file).EnvColorProfile()}
	}
	return diffColours{termenv.Ascii}
}

func (c diffColours) was(text string) string {
	return c.String(text).Foreground(c.Color("1")).String()
}

func (c diffColours) is(text string) string {
	return c.String(text).Foreground(c.Color("2")).String()
}

func (c diffColours) title(text string) string { return c.String(text).Bold().String() }

// text is the comparison for a person, the worst first.
func (r *comparison) text(c diffColours) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", c.was("- "+prose.Clean(r.Was)), c.is("+ "+prose.Clean(r.Is)))
	fmt.Fprintf(&b, "%s compared: %d the same, %d differ\n", counted(r.Requests, "request", "requests"), r.Same, r.Differ)
	for _, why := range slices.Sorted(maps.Keys(r.Skipped)) {
		fmt.Fprintf(&b, "%s not compared: %s\n", counted(r.Skipped[why], "request", "requests"), prose.Clean(why))
	}
	for i, g := range r.Groups {
		if i == mostShown {
			fmt.Fprintf(&b, "\nand %d more places: --output json has them\n", len(r.Groups)-i+r.MoreGroups)
			break
		}
		g.text(&b, c)
	}
	r.quiet(&b)
	if r.Latency != nil {
		fmt.Fprintf(&b, "\n%s\n", r.Latency)
	}
	return b.String()
}

// quiet says what differs and is no difference.
func (r *comparison) quiet(b *strings.Builder) {
	var parts []string
	for _, n := range []struct {
		n    int
		text string
	}{{r.Tolerated, "within the tolerance"}, {r.Ignored, "ignored"}, {r.Hidden, "hidden by the capture"}} {
		if n.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n.n, n.text))
		}
	}
	if len(parts) > 0 {
		fmt.Fprintf(b, "\nplaces not told: %s\n", strings.Join(parts, ", "))
	}
}

func (g *differing) text(b *strings.Builder, c diffColours) {
	fmt.Fprintf(b, "\n%s  %s in %s\n", c.title(prose.Clean(g.Path)), counted(g.Places, "place", "places"), counted(g.Requests, "request", "requests"))
	for _, x := range g.Examples {
		fmt.Fprintf(b, "  %s  %s %s", requestName(x.Nth, x.ID), prose.Clean(x.Method), prose.Clean(x.URL))
		if x.Path != g.Path {
			fmt.Fprintf(b, "  %s", prose.Clean(x.Path))
		}
		if note := noteOf(x.Difference); note != "" {
			fmt.Fprintf(b, "  (%s)", prose.Clean(note))
		}
		fmt.Fprintln(b)
		if x.Was != "" || x.Kind == compare.Added {
			fmt.Fprintf(b, "    %s\n", c.was("- "+shownSide(x.Was)))
		}
		if x.Is != "" || x.Kind == compare.Missing {
			fmt.Fprintf(b, "    %s\n", c.is("+ "+shownSide(x.Is)))
		}
	}
	if over := g.Places - len(g.Examples); over > 0 {
		fmt.Fprintf(b, "  and %d more\n", over)
	}
}

func shownSide(text string) string {
	if text == "" {
		return "(not there)"
	}
	return prose.Clean(text)
}

// noteOf adds to a difference of two numbers how large it is.
func noteOf(d compare.Difference) string {
	size := float64(d.Size)
	if d.Note != "" || d.Kind != compare.Value || math.IsInf(size, 0) || strings.HasPrefix(d.Was, `"`) || d.Was == "true" || d.Was == "false" {
		return d.Note
	}
	return fmt.Sprintf("by %.3g %%", size*100)
}
