package tui

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/prose"
)

// logPrompt is a line that is typed below the records.
type logPrompt struct {
	name  string
	input textinput.Model
	note  string // of what was typed
	wrong string // with it
	done  func(s *scene, text string) (tea.Cmd, error)
	each  func(text string) (note string, err error) // change; nil where it does nothing
	left  func()                                     // it was left without being done; nil where nothing is to be done then
}

func (p *logs) typing() bool { return p.ask != nil }

// typed handles a key while something is typed.
func (p *logs) typed(s *scene, msg tea.KeyMsg) tea.Cmd {
	a := p.ask
	a.wrong = ""
	switch msg.String() {
	case "esc":
		p.ask = nil
		if a.left != nil {
			a.left()
		}
		return nil
	case "enter":
		cmd, err := a.done(s, a.input.Value())
		if err != nil {
			a.wrong = err.Error()
			return nil
		}
		p.ask = nil
		return cmd
	}
	a.input, _ = a.input.Update(msg)
	if a.each != nil {
		note, err := a.each(a.input.Value())
		if a.note = note; err != nil {
			a.wrong = err.Error()
		}
	}
	return nil
}

// line draws the prompt.
func (a *logPrompt) line(s *scene, width int) string {
	right := s.faint.Render(a.note)
	if a.wrong != "" {
		right = s.badBad.Render(firstLine(a.wrong))
	}
	return s.ends(s.key.Render(a.name)+" "+typed(s, a.input), right, width)
}

// askSearch asks what to look for. While it is typed the matches are counted; enter goes
// to the last one before the cursor or the end.
func (p *logs) askSearch() {
	before := p.search
	p.ask = &logPrompt{name: "search", input: newInput(p.search.text)}
	p.ask.left = func() {
		p.search = before
		p.redraw()
		p.choose()
	}
	p.ask.each = func(text string) (string, error) {
		err := p.lookFor(text)
		return count(int64(len(p.search.found))) + " found", err
	}
	p.ask.done = func(s *scene, text string) (tea.Cmd, error) {
		if err := p.lookFor(text); err != nil || text == "" {
			return nil, err
		}
		if n := len(p.search.found); n == 0 {
			return nil, fmt.Errorf("%q is in no line that is shown", text)
		}
		return p.jump(s, -1), nil
	}
}

func (p *logs) lookFor(text string) error {
	q, err := newLogSearch(text)
	if err != nil {
		return err
	}
	p.search = q
	p.redraw()
	p.choose()
	return nil
}

// askName asks where to save what is shown.
func (p *logs) askName(s *scene) {
	if s.model == nil {
		return
	}
	name := filepath.Join(os.TempDir(), fmt.Sprintf("%s-%s.log", p.book.model, s.now.Local().Format("20060102-150405")))
	p.ask = &logPrompt{name: "save " + count(int64(len(p.shown))) + " records as", input: newInput(name)}
	p.ask.done = func(_ *scene, text string) (tea.Cmd, error) {
		if strings.TrimSpace(text) == "" {
			return nil, errors.New("a file's name is wanted")
		}
		lines := p.written(p.shown)
		return func() tea.Msg { return save(text, lines) }, nil
	}
}

// written are the lines of records as they were written, each with its time and source
// where times are shown.
func (p *logs) written(records []int) []string {
	var lines []string
	for _, number := range records {
		r := p.book.at(number)
		if r.divider != nil {
			lines = append(lines, p.stamp(r.divider.at, "--")+r.divider.text)
			continue
		}
		source := p.book.source(r)
		for _, offset := range append([]int32{0}, r.more...) {
			e := p.book.history.Logs.At(r.place + int(offset))
			lines = append(lines, p.stamp(e.Time, source)+e.Fact.(event.Log).Text)
		}
	}
	return lines
}

func (p *logs) stamp(at time.Time, source string) string {
	if p.timeless {
		return ""
	}
	return at.UTC().Format("2006-01-02T15:04:05.000Z") + " " + source + " "
}

// save writes lines to a file that is not there yet.
func save(name string, lines []string) said {
	path, err := expandHome(strings.TrimSpace(name))
	if err == nil {
		err = writeNew(path, lines)
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return said{text: path + " is there already: nothing is written; give another name", bad: true}
	case err != nil:
		return said{text: "not saved: " + err.Error(), bad: true}
	}
	return said{text: count(int64(len(lines))) + " lines saved as " + prose.Clean(path)}
}

func writeNew(path string, lines []string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, line := range lines {
		text.WriteString(line)
		text.WriteByte('\n')
	}
	_, err = file.WriteString(text.String())
	return errors.Join(err, file.Close())
}

// expandHome is the absolute path that a person means: ~ is the home folder.
func expandHome(name string) (string, error) {
	if rest, is := strings.CutPrefix(name, "~/"); is {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		return filepath.Join(home, rest), nil
	}
	return filepath.Abs(name)
}

// copy copies the record under the cursor, or the last one.
func (p *logs) copy(s *scene) tea.Cmd {
	if len(p.shown) == 0 {
		return say("there is nothing to copy")
	}
	number := p.shown[len(p.shown)-1]
	if p.paused {
		number = p.valid(s, p.at).record
	}
	return copyText(p.copied([]int{number}))
}

// copyAll copies all records that are shown, the last ones where they are too many.
func (p *logs) copyAll() tea.Cmd {
	from, bytes := len(p.shown), 0
	for from > 0 {
		if bytes += len(p.copied(p.shown[from-1:from])) + 1; bytes > mostCopied {
			break
		}
		from--
	}
	if from == len(p.shown) {
		return say("there is nothing to copy that a terminal takes (" + size(mostCopied) + ")")
	}
	cmd := copyText(p.copied(p.shown[from:]))
	if from > 0 {
		return tea.Sequence(cmd, say(fmt.Sprintf("copied the last %d of %d records: a terminal takes %s", len(p.shown)-from, len(p.shown), size(mostCopied))))
	}
	return cmd
}

// copied are records as text to paste: what a terminal would interpret is visible.
func (p *logs) copied(records []int) string {
	var out strings.Builder
	for i, number := range records {
		r := p.book.at(number)
		if i > 0 {
			out.WriteByte('\n')
		}
		if r.divider != nil {
			out.WriteString("-- " + r.divider.text)
			continue
		}
		out.WriteString(prose.Clean(p.book.text(r, 0)))
		for _, offset := range r.more {
			out.WriteString("\n" + prose.Clean(p.book.text(r, offset)))
		}
	}
	return out.String()
}
