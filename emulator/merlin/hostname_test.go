package merlin_test

import (
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

func TestAHostnameIsCutAsTheKubeletCutsIt(t *testing.T) {
	long := strings.Repeat("a", 63)
	for name, want := range map[string]string{
		"short":                            "short",
		long:                               long,
		long + "b":                         long,
		strings.Repeat("a", 61) + "-.b":    strings.Repeat("a", 61),
		strings.Repeat("a", 60) + "..-bcd": strings.Repeat("a", 60),
	} {
		if got := merlin.Hostname(name); got != want {
			t.Errorf("%s becomes %s, want %s", name, got, want)
		}
	}
}
