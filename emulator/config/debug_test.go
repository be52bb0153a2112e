package config

import (
	"strings"
	"testing"
)

func TestADebuggerThatCannotBeStartedOrReachedIsAMistake(t *testing.T) {
	for _, row := range []struct{ given, want string }{
		{"kind: custom", "needs command"},
		{"command: gdbserver :2345", "say it as port too"},
		{"binary: none", "debug.binary: no such file"},
		{"kind: pdb", "debug.kind"},
		{"port: 0", "debug.port"},
	} {
		_, err := loadText(t, "debug: { "+row.given+" }\n")
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", row.given, err)
		}
	}
	for _, given := range []string{"kind: delve", "command: gdbserver :$(DEBUG_PORT)", "command: 'gdbserver :2345', port: 2345"} {
		if _, err := loadText(t, "debug: { "+given+" }\n"); err != nil {
			t.Errorf("%s: %v", given, err)
		}
	}
}
