package check

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// WriteText writes reports for people: what does not hold first, and a summary last.
func WriteText(w io.Writer, reports []Report) error {
	var out strings.Builder
	for i, r := range reports {
		if i > 0 {
			out.WriteString("\n")
		}
		r.text(&out)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (r Report) text(out *strings.Builder) {
	fmt.Fprintf(out, "%s  %s", r.Subject, r.Protocol)
	if r.Image != "" {
		fmt.Fprintf(out, ", image %s", r.Image)
	}
	out.WriteString("\n")
	width := 0
	for _, result := range r.Results {
		width = max(width, utf8.RuneCountInString(result.Rule))
	}
	for _, outcome := range []Outcome{Failed, Warned, Noted, NotJudged, Passed} {
		r.section(out, outcome, width)
	}
	fmt.Fprintf(out, "\n%s\n", r.summary())
}

// section writes the results of one outcome, those that pass by group.
func (r Report) section(out *strings.Builder, outcome Outcome, width int) {
	group := Group("")
	for i, result := range r.of(outcome) {
		if i == 0 || outcome == Passed && result.Group != group {
			out.WriteString("\n")
		}
		group = result.Group
		word := string(outcome)
		if outcome == Failed || outcome == Warned {
			word = strings.ToUpper(word)
		}
		fmt.Fprintf(out, "%-10s  %-*s  %s\n", word, width, result.Rule, printable(result.Evidence))
		if result.Fix != "" {
			fmt.Fprintf(out, "%-10s  %-*s  fix: %s\n", "", width, "", printable(result.Fix))
		}
	}
}

// printable is text that does nothing to a terminal and stays in its line.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return '\uFFFD'
		}
		return r
	}, text)
}

func (r Report) summary() string {
	parts := []string{fmt.Sprintf("%d passed", len(r.of(Passed)))}
	for _, c := range []struct {
		outcome Outcome
		words   string
	}{{Failed, "failed"}, {Warned, "warnings"}, {Noted, "notes"}, {NotJudged, "not judged"}} {
		n := len(r.of(c.outcome))
		words := c.words
		if n == 1 {
			words = strings.TrimSuffix(words, "s")
		}
		if n > 0 || c.outcome == Failed {
			parts = append(parts, fmt.Sprintf("%d %s", n, words))
		}
	}
	return fmt.Sprintf("%s: %s, in %s", r.Subject, strings.Join(parts, ", "), milli(r.Took))
}

// WriteJSON writes reports for programs: a list, a model each.
func WriteJSON(w io.Writer, reports []Report) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(reports)
}
