package tui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

var (
	errRecording = errors.New("a recording of events holds no headers and bodies")
	errNoSearch  = errors.New("those of a recording cannot be")
)

// What the panel's commands end with, besides said.
type (
	exchangeCame struct {
		id       uint64
		exchange event.Exchange
		err      error
	}
	compared struct {
		name          string
		before, after event.Exchange
	}
	editorLeft struct {
		*editing
		err error
	}
)

// exchangeOf gets what was captured of a request: what is at hand, or from the session.
func (p *requests) exchangeOf(s *scene, e event.Event) func(ctx context.Context) (event.Exchange, error) {
	id, control, recording := e.Fact.(event.Served).ID, s.control, s.recording
	have := func(x event.Exchange) func(context.Context) (event.Exchange, error) {
		return func(context.Context) (event.Exchange, error) { return x, nil }
	}
	switch {
	case p.view != nil && p.view.exchange != nil && p.view.served.ID == id:
		return have(*p.view.exchange)
	case p.pinned != nil && p.pinned.served.ID == id:
		return have(p.pinned.exchange)
	}
	return func(ctx context.Context) (event.Exchange, error) {
		switch {
		case control == nil && recording != nil:
			return recording.Exchange(id)
		case control == nil:
			return event.Exchange{}, errRecording
		case id == 0:
			return event.Exchange{}, errors.New("this request has no number: it was recorded by an older version")
		}
		return control.Exchange(ctx, id)
	}
}

// with gets a request's exchange, outside the screen's goroutine, and goes on with it.
func (p *requests) with(s *scene, e event.Event, do func(ctx context.Context, x event.Exchange) (tea.Msg, error)) tea.Cmd {
	get := p.exchangeOf(s, e)
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		x, err := get(ctx)
		if err != nil {
			return said{text: err.Error(), bad: true}
		}
		msg, err := do(ctx, x)
		if err != nil {
			return said{text: err.Error(), bad: true}
		}
		return msg
	}
}

func (p *requests) copyCommand(s *scene, e event.Event) tea.Cmd {
	address := s.state.Address
	return p.with(s, e, func(_ context.Context, x event.Exchange) (tea.Msg, error) {
		text, err := commandOf(&x, address)
		if err != nil {
			return nil, fmt.Errorf("not copied: %w", err)
		}
		return copyText(text)(), nil
	})
}

// copyBody copies the body that a person most likely means, without codings; of gRPC as
// JSON.
func (p *requests) copyBody(s *scene, e event.Event) tea.Cmd {
	return p.with(s, e, func(_ context.Context, x event.Exchange) (tea.Msg, error) {
		m, isRequest := &x.Answer, false
		if len(m.Body) == 0 {
			m, isRequest = &x.Request, true
		}
		if len(m.Body) == 0 {
			return nil, errors.New("not copied: neither side has a body")
		}
		if isGRPC(m) {
			text, err := asJSON(m, x.Path, isRequest)
			if err != nil {
				return nil, fmt.Errorf("not copied: %w", err)
			}
			return copyText(string(text))(), nil
		}
		plain, coding, err := unpack(m)
		switch {
		case err != nil:
			return nil, fmt.Errorf("not copied: the body is %s, which cannot be unpacked: %w", coding, err)
		case !isText(plain, lacks(m)):
			return nil, errors.New("not copied: the body is no text; x exports it")
		}
		return copyText(string(plain))(), nil
	})
}

func (p *requests) again(s *scene, e event.Event) tea.Cmd {
	control := s.control
	return p.with(s, e, func(ctx context.Context, x event.Exchange) (tea.Msg, error) {
		if err := whole(&x.Request); err != nil {
			return nil, fmt.Errorf("not sent: %w", err)
		}
		if control == nil {
			return nil, errors.New("nothing can be sent: this is a recording")
		}
		return said{text: fmt.Sprintf("request %d was sent again: it is a new row", x.ID)}, control.Send(ctx, x)
	})
}

// mostMarks is how many requests are marked at most.
const mostMarks = 100

func (p *requests) mark(_ *scene, e event.Event) tea.Cmd {
	for i := range p.marks {
		if p.marks[i].Seq == e.Seq {
			p.marks = append(p.marks[:i:i], p.marks[i+1:]...)
			return nil
		}
	}
	p.marks = append(p.marks[max(len(p.marks)+1-mostMarks, 0):], e)
	return nil
}

// compare compares a request with the pinned one, or else with the one marked last.
func (p *requests) compare(s *scene, e event.Event) tea.Cmd {
	name, other, ok := "pinned", event.Event{}, false
	if p.pinned != nil && p.pinned.e.Seq != e.Seq {
		other, ok = p.pinned.e, true
	}
	for i := len(p.marks) - 1; i >= 0 && !ok; i-- {
		if p.marks[i].Seq != e.Seq {
			name, other, ok = "marked", p.marks[i], true
		}
	}
	if !ok {
		return tell(said{text: "there is no other to compare with: p pins one, m marks one", bad: true})
	}
	before := p.exchangeOf(s, other)
	return p.with(s, e, func(ctx context.Context, after event.Exchange) (tea.Msg, error) {
		x, err := before(ctx)
		if err != nil {
			return nil, fmt.Errorf("the %s one: %w", name, err)
		}
		return compared{name, x, after}, nil
	})
}

// edit hands the body to the person's editor.
func (p *requests) edit(s *scene, e event.Event) tea.Cmd {
	if s.control == nil {
		return tell(said{text: "nothing can be sent: this is a recording", bad: true})
	}
	d := p.draft
	return p.with(s, e, func(_ context.Context, x event.Exchange) (tea.Msg, error) {
		if d.id != x.ID {
			d.text = nil
		}
		return beginEdit(x, d.text)
	})
}

// send sends what the editor left. Where that cannot be, it is kept for the next try.
func (p *requests) send(s *scene, left editorLeft) tea.Cmd {
	control := s.control
	return func() tea.Msg {
		text, err := left.finish(left.err)
		switch {
		case errors.Is(err, errUnchanged):
			return said{text: err.Error()}
		case err != nil:
			return said{text: err.Error(), bad: true}
		}
		x, err := edited(&left.exchange, text)
		if err == nil {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			err = control.Send(ctx, x)
		}
		outcome := said{text: fmt.Sprintf("request %d was sent with the new body: it is a new row", x.ID)}
		kept := draft{}
		if err != nil {
			outcome = said{text: fmt.Sprintf("not sent: %v (e opens it as you left it)", err), bad: true}
			kept = draft{x.ID, text}
		}
		return tea.BatchMsg{func() tea.Msg { return kept }, tell(outcome)}
	}
}

// exportPrompt asks for the name of the file.
type exportPrompt struct {
	input textinput.Model
	get   func(ctx context.Context) (event.Exchange, error)
	wrong string
}

// exported is the end of an export.
type exported struct {
	prompt *exportPrompt
	path   string
	err    error
}

func (p *requests) askExport(s *scene, e event.Event) tea.Cmd {
	p.prompt = &exportPrompt{
		input: newInput(fmt.Sprintf("request-%d.json", e.Fact.(event.Served).ID)),
		get:   p.exchangeOf(s, e),
	}
	return nil
}

func (x *exportPrompt) press(p *requests, msg tea.KeyMsg) tea.Cmd {
	switch msg.String() {
	case "esc":
		p.prompt = nil
		return nil
	case "enter":
		p.prompt = nil
		name := x.input.Value()
		return func() tea.Msg {
			path, err := x.write(name)
			return exported{x, path, err}
		}
	}
	x.wrong = ""
	x.input, _ = x.input.Update(msg)
	return nil
}

// write writes the exchange into a new file.
func (x *exportPrompt) write(name string) (path string, err error) {
	if name == "" {
		return "", errors.New("the file needs a name")
	}
	if path, err = filepath.Abs(name); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	exchange, err := x.get(ctx)
	if err != nil {
		return "", err
	}
	data, err := json.MarshalIndent(exchange, "", "  ")
	if err != nil {
		return "", err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // it may hold what is nobody else's
	if errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("%s is already there: give another name", name)
	}
	if err != nil {
		return "", err
	}
	_, err = file.Write(append(data, '\n'))
	if err = errors.Join(err, file.Close()); err != nil {
		return "", errors.Join(err, os.Remove(path))
	}
	return path, nil
}

// exported says where the file is, or asks again.
func (p *requests) exported(x exported) tea.Cmd {
	if x.err == nil {
		return tell(said{text: "exported to " + x.path})
	}
	if p.prompt == nil {
		p.prompt = x.prompt
		p.prompt.wrong = x.err.Error()
		return nil
	}
	return tell(said{text: "not exported: " + x.err.Error(), bad: true})
}

func (x *exportPrompt) draw(s *scene, width int) string {
	right := s.faint.Render("enter writes it, esc does not")
	if x.wrong != "" {
		right = s.badBad.Render(legible(firstLine(x.wrong)))
	}
	return s.ends(s.key.Render("export to ")+typed(s, x.input), right, width)
}
