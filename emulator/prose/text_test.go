package prose_test

import (
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/prose"
)

func TestNothingOfAForeignTextIsObeyed(t *testing.T) {
	for text, want := range map[string]string{
		"plain \t 世界 e\u0301":       "plain \t 世界 e\u0301",
		"\x1b[31mred\x1b[0m":        "red",
		"bell\a and\rreturn\x00":    `bell\x07 and\x0dreturn\x00`,
		"invoice\u202egnp.exe":      `invoice\u202egnp.exe`,
		"a\u2066b\u2069c\u200fd":    `a\u2066b\u2069c\u200fd`,
		"one\u2028two\u2029three":   `one\u2028two\u2029three`,
		"a family: 👩\u200d👩\u200d👧": "a family: 👩\u200d👩\u200d👧",
	} {
		if got := prose.Clean(text); got != want {
			t.Errorf("%q is shown as %q, not %q", text, got, want)
		}
	}
}
