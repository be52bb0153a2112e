package tui

import (
	"context"
	"fmt"

	tea "github.com/charmbracelet/bubbletea"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// pinned is a request that is kept, whatever comes.
type pinned struct {
	e        event.Event
	served   event.Served
	exchange event.Exchange
	// name is that of its pin in the repo; wrong says why it has none.
	name, wrong string
}

func (p *requests) pin(s *scene, e event.Event) tea.Cmd {
	served := e.Fact.(event.Served)
	if p.pinned != nil && p.pinned.served.ID == served.ID {
		p.pinned = nil
		return tell(said{text: fmt.Sprintf("request %d is not kept to compare with any more", served.ID)})
	}
	control := s.control
	return p.with(s, e, func(ctx context.Context, x event.Exchange) (tea.Msg, error) {
		kept := pinned{e: e, served: served, exchange: x}
		if control == nil {
			return kept, nil
		}
		var err error
		if kept.name, err = control.Pin(ctx, x); err != nil {
			kept.wrong = err.Error()
		}
		return kept, nil
	})
}

// said says where the request is pinned.
func (p *pinned) said() said {
	switch {
	case p.wrong != "":
		return said{text: fmt.Sprintf("request %d is not pinned in the repo: %s; c compares another one with it", p.served.ID, p.wrong), bad: true}
	case p.name != "":
		return said{text: fmt.Sprintf("request %d is pinned as %s: each reload replays it, and c compares another one with it", p.served.ID, p.name)}
	}
	return said{text: fmt.Sprintf("request %d is pinned: c compares another one with it", p.served.ID)}
}
