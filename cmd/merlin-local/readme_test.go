package main

import (
	"os"
	"strings"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/diagnose"
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

func TestTheReadmeHasEveryCauseThatIsRecognised(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(readme), "| cause | recognised by |\n|---|---|\n")
	if !found {
		t.Fatal("README.md has no table of causes")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	var want strings.Builder
	for _, r := range diagnose.Rules() {
		want.WriteString("| `" + string(r.Cause) + "` | " + r.Sign + " |\n")
	}
	if table+"\n" != want.String() {
		t.Errorf("README.md has the causes\n%s\nand the rules say\n%s", table, want.String())
	}
}
