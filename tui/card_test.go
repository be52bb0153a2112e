package tui

import (
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"
)

const cardText = `NOT SERVING: exited with code 1
  cause:  exception (certain)
  why:    ValueError: no weights
  memory: peak 3 MiB
  log:    Traceback (most recent call last):
            File "/app/app.py", line 117, in main
          ValueError: no weights
  next:   mend what raises it`

func TestACardKeepsWhatHappenedAndWhatToDoLongest(t *testing.T) {
	s := &scene{theme: newTheme(termenv.Ascii, false)}
	for _, row := range []struct {
		room int
		want []string
	}{
		{8, strings.Split(cardText, "\n")},
		{7, []string{"NOT SERVING: exited with code 1", "  cause:  exception (certain)", "  why:    ValueError: no weights", "  memory: peak 3 MiB", `  log:      File "/app/app.py", line 117, in main`, "          ValueError: no weights", "  next:   mend what raises it"}},
		{4, []string{"NOT SERVING: exited with code 1", "  why:    ValueError: no weights", "  log:    ValueError: no weights", "  next:   mend what raises it"}},
		{2, []string{"NOT SERVING: exited with code 1", "  next:   mend what raises it"}},
	} {
		var got []string
		for _, line := range card(s, cardText, 80, row.room) {
			got = append(got, strings.TrimRight(ansi.Strip(line), " ")[1:])
		}
		if strings.Join(got, "\n") != strings.Join(row.want, "\n") {
			t.Errorf("in %d lines it is\n%s\nwant\n%s", row.room, strings.Join(got, "\n"), strings.Join(row.want, "\n"))
		}
	}
}

func TestATerminalThatIsNotInUTF8GetsASCIIOfTheSameWidth(t *testing.T) {
	m := newScreen(Options{ASCII: true, Profile: termenv.ANSI})
	for text, want := range map[string]string{
		"p95 704µs … → │":                      "p95 704us ~ > |",
		"\x1b[1mgrün\x1b[0m \x1b[31m日本\x1b[0m": "\x1b[1mgr?n\x1b[0m \x1b[31m????\x1b[0m",
	} {
		if got := m.shownIn(text); got != want {
			t.Errorf("%q is shown as %q, not %q", text, got, want)
		}
	}
	m.Update(tea.WindowSizeMsg{Width: 120, Height: 40})
	m.Update(arrived(recording(t, "serving")))
	for _, r := range m.View() {
		if r > 0x7e {
			t.Fatalf("the screen has %q:\n%s", r, m.View())
		}
	}
}
