package main

import (
	"os"
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator"
)

func TestTheReadmeHasTheTableOfFidelities(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range emulator.Differences() {
		row := "| " + d.Point + " | " + d.Documented + " | " + d.Deployed + " |\n"
		if !strings.Contains(string(readme), row) {
			t.Errorf("README.md lacks the row\n%s", row)
		}
	}
}
