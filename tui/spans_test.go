package tui

import (
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func texts(rows [][]span) (out []string) {
	for _, r := range rows {
		out = append(out, plainText(r))
	}
	return out
}

func TestALineIsFoldedAtSpacesAcrossItsPieces(t *testing.T) {
	red := ink{"<", ">"}
	line := []span{{text: "predicted 3 rows"}, {" id=", red}, {text: "a-16691"}, {" k=", red}, {text: "v"}}
	if got := texts(folded(line, 24)); !slices.Equal(got, []string{"predicted 3 rows ", "id=a-16691 k=v"}) {
		t.Errorf("it is %q", got)
	}
	if got := paint(folded(line, 24)[1]); got != "<id=>a-16691< k=>v" {
		t.Errorf("the pieces lost their looks: %q", got)
	}
	if got := texts(folded([]span{{text: "世界世界 x"}}, 5)); !slices.Equal(got, []string{"世界", "世界 ", "x"}) {
		t.Errorf("wide ones are %q", got)
	}
	for _, text := range []string{strings.Repeat("世", 3000), strings.Repeat("e\u0301", 3000), strings.Repeat("\u0301", 9000), strings.Repeat("word ", 2000), ""} {
		for _, width := range []int{1, 2, 3, 40} {
			rows := folded([]span{{text: text}}, width)
			if strings.Join(texts(rows), "") != text {
				t.Errorf("%.20q at %d is not whole", text, width)
			}
			for _, row := range texts(rows) {
				if ansi.StringWidth(row) > max(width, 2) {
					t.Errorf("%.20q at %d has a row of %d", text, width, ansi.StringWidth(row))
				}
			}
		}
	}
}

func TestALineIsSlid(t *testing.T) {
	line := []span{{text: "0123456789"}, {text: "abcdefghij"}}
	for _, row := range []struct {
		from, width int
		want        string
	}{{0, 20, "0123456789abcdefghij"}, {0, 19, "0123456789abcdefgh~"}, {0, 5, "0123~"}, {8, 20, "~9abcdefghij"}, {12, 5, "~def~"}, {40, 5, "~"}} {
		if got := plainText(slid(line, row.from, row.width, "~")); got != row.want {
			t.Errorf("from %d, %d wide, it is %q, not %q", row.from, row.width, got, row.want)
		}
	}
}

func TestMatchesAreMarkedAcrossPieces(t *testing.T) {
	line := []span{{text: "one two"}, {text: " three"}}
	for text, want := range map[string]string{"o": "[o]ne tw[o] three", "two thr": "one [two][ thr]ee", "/^|e/": "on[e] two thr[e][e]", "zero": "one two three"} {
		p, err := newPattern(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := paint(marked(line, &p, ink{"[", "]"})); got != want {
			t.Errorf("%s marks %q, not %q", text, got, want)
		}
	}
}
