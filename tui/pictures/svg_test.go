package main

import (
	"strings"
	"testing"
)

func TestAPictureHasTheColoursAndPlacesOfTheScreen(t *testing.T) {
	got := svg([]string{"ab\x1b[1;31mred & bold\x1b[0m\x1b[7m x \x1b[0m", "█"}, 20)
	for _, want := range []string{
		`viewBox="0 0 192 58"`,
		`<text x="12.0" y="25.0" textLength="16.8" lengthAdjust="spacingAndGlyphs" xml:space="preserve" fill="#d5dbe5">ab</text>`,
		`<text x="28.8" y="25.0" textLength="84.0" lengthAdjust="spacingAndGlyphs" xml:space="preserve" fill="#e0556a" font-weight="bold">red &amp; bold</text>`,
		`<rect x="112.8" y="12.0" width="25.2" height="17.0" fill="#d5dbe5"/>`,
		`fill="#151a24"> x </text>`,
		`<text x="12.0" y="42.0" textLength="8.4"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
}
