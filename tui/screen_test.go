package tui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// hands is a Controller that notes what it is asked for.
type hands struct {
	mu    sync.Mutex
	asked []string
	fails error

	exchanges map[uint64]event.Exchange // what was captured
	sent      []event.Exchange
}

func (h *hands) note(text string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, text)
	return h.fails
}

func (h *hands) Reload(_ context.Context, model string, rebuild bool) error {
	if rebuild {
		return h.note("rebuild " + model)
	}
	return h.note("reload " + model)
}

func (h *hands) Exchange(_ context.Context, id uint64) (event.Exchange, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if x, has := h.exchanges[id]; has {
		return x, nil
	}
	return event.Exchange{}, fmt.Errorf("request %d is not kept any more", id)
}

func (h *hands) Search(_ context.Context, text string) ([]uint64, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var ids []uint64
	for id, x := range h.exchanges {
		if bytes.Contains(x.Request.Body, []byte(text)) || bytes.Contains(x.Answer.Body, []byte(text)) {
			ids = append(ids, id)
		}
	}
	return ids, true, h.fails
}

func (h *hands) Send(_ context.Context, x event.Exchange) error {
	h.mu.Lock()
	h.sent = append(h.sent, x)
	h.mu.Unlock()
	return h.note(fmt.Sprintf("send %d", x.ID))
}

func (h *hands) Pin(_ context.Context, x event.Exchange) (string, error) {
	return fmt.Sprintf("%s-predict", x.Model), h.note(fmt.Sprintf("pin %d", x.ID))
}

func (h *hands) Retry(_ context.Context, model string) error { return h.note("retry " + model) }
func (h *hands) Fault(_ context.Context, model string, faults []string) error {
	return h.note(strings.Join(append([]string{"fault", model}, faults...), " "))
}

func (h *hands) Stop(context.Context) error { return h.note("stop") }

func TestTheScreenHasItsSizeAtEverySize(t *testing.T) {
	for width := 1; width <= 220; width += 7 {
		for height := 1; height <= 70; height += 3 {
			d := drive(t, &hands{}, width, height, iris())
			for _, key := range []string{"1", "2", "3", "4", "5", "6", "z"} {
				d.keys(key)
				d.view()
			}
			d.keys("?")
			d.view()
			d.keys("esc", ":")
			d.view()
		}
	}
}

func TestAKeyAndThePaletteAskForTheSame(t *testing.T) {
	h := &hands{}
	d := drive(t, h, 120, 40, iris())
	d.keys("R")
	d.await("reload of iris-1 asked for")
	d.keys(":", `"new image`, "enter")
	d.await("reload of iris-1 with a new image asked for")
	if len(h.asked) != 2 || h.asked[0] != "reload iris-1" || h.asked[1] != "rebuild iris-1" {
		t.Errorf("asked for %q", h.asked)
	}
}

func TestWhatFailsIsSaid(t *testing.T) {
	d := drive(t, &hands{fails: errors.New("no model is called that")}, 120, 40, iris())
	d.keys("S")
	d.await("no model is called that")
}

func TestQEndsTheSessionAndTheScreenWaitsForItsEnd(t *testing.T) {
	h := &hands{}
	d := drive(t, h, 120, 40, iris())
	d.keys("q")
	d.await("stop the session and its containers?")
	d.keys("x")
	if view := d.view(); strings.Contains(view, "stop the session and its containers?") || len(h.asked) > 0 {
		t.Errorf("no was taken for yes, or asked again: %q\n%s", h.asked, view)
	}
	d.keys("q", "y")
	d.await("stopping")
	d.send(arrived{{Fact: event.Ended{}}})
	d.send(ended{})
	d.until("quit", func(string) bool { return d.quit })
}

func TestAFailedSessionStaysOnTheScreen(t *testing.T) {
	d := drive(t, &hands{}, 120, 40, iris(event.PhaseChanged{Phase: event.PhaseFailed}, event.Failed{What: "exited with code 3", Why: "because", Final: true}))
	d.send(arrived{{Fact: event.Ended{Error: "iris-1: exited with code 3"}}})
	d.send(ended{})
	d.await("THE SESSION HAS FAILED")
	d.await("FAILED: exited with code 3")
	if d.quit {
		t.Error("the screen has gone")
	}
	d.keys("q")
	d.until("quit", func(string) bool { return d.quit })
}

func TestAKeyRightAfterEscIsNoOther(t *testing.T) {
	d := drive(t, &hands{}, 120, 40, iris())
	d.keys("4", "z")
	d.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("2"), Alt: true})
	if d.screen.zoomed || d.screen.focus != requestsPanel {
		t.Errorf("zoomed %v, panel %d has the keys", d.screen.zoomed, d.screen.focus+1)
	}
	d.keys("3", "s", `"later`)
	d.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("b"), Alt: true}) // a word back
	d.keys(`"x`)
	d.await("search xlater")
}

func TestKeysThatCameTogetherArePressedOneByOne(t *testing.T) {
	d := drive(t, &hands{}, 120, 40, iris())
	d.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("4z")})
	if d.screen.focus != metricsPanel || !d.screen.zoomed {
		t.Errorf("panel %d has the keys, zoomed %v", d.screen.focus+1, d.screen.zoomed)
	}
	d.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("?")})
	d.await("keys")
}

func TestTheReposOwnRequestIsSentAndCopied(t *testing.T) {
	h := &hands{}
	d := drive(t, h, 120, 40, iris())
	d.screen.example = func(m session.Model) (event.Exchange, string, error) {
		x := event.Exchange{}
		x.Path = "/v1/models/" + m.FullName + ":predict"
		return x, "curl it", nil
	}
	d.screen.keymap.predict.SetEnabled(true)
	d.keys("P")
	d.await("request.json was sent to iris-1")
	if len(h.sent) != 1 || h.sent[0].Path != "/v1/models/iris-1:predict" {
		t.Errorf("sent was %+v", h.sent)
	}
}
