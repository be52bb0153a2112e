package tui

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// bodySearch is the search for a filter's texts in what was captured. It is asked for
// again while requests come, so seldom that it costs little.
type bodySearch struct {
	generation int // counts the filters, so that an old one's answer is known
	texts      []string
	found      map[string]map[uint64]bool // the requests' numbers, by text
	until      int                        // the requests before this place were searched
	running    bool
	partly     bool // not all that is kept was searched
	err        error
}

// searchBodies asks for a search; bodiesFound is its end.
type (
	searchBodies struct{ generation int }
	bodiesFound  struct {
		generation int
		found      map[string]map[uint64]bool
		until      int
		partly     bool
		took       time.Duration
		err        error
	}
)

// The pauses of a search: before the first, so that a text is typed to its end, and
// between two, so many times what one took.
const (
	beforeSearch   = 250 * time.Millisecond
	leastPause     = 2 * time.Second
	pauseForSearch = 15
)

// begin searches for other texts, a moment later.
func (b *bodySearch) begin(s *scene, texts []string) tea.Cmd {
	*b = bodySearch{generation: b.generation + 1, texts: texts}
	if len(texts) == 0 {
		return nil
	}
	b.running = true
	return b.later(beforeSearch)
}

func (b *bodySearch) later(pause time.Duration) tea.Cmd {
	generation := b.generation
	return tea.Tick(pause, func(time.Time) tea.Msg { return searchBodies{generation} })
}

// holds tells whether a body of that request has the text.
func (b *bodySearch) holds(text string, id uint64) bool { return b.found[text][id] }

func (b *bodySearch) note() string {
	switch {
	case b.err != nil:
		return "bodies cannot be searched: " + firstLine(b.err.Error())
	case b.running && b.found == nil:
		return "searching"
	case b.partly:
		return "not all bodies were searched"
	}
	return ""
}

// take takes what was found; false where that is of another filter.
func (b *bodySearch) take(f bodiesFound) bool {
	if f.generation != b.generation {
		return false
	}
	b.found, b.until, b.partly, b.err, b.running = f.found, f.until, f.partly, f.err, false
	return true
}

// next is the step after a message: a search when it is time for one, and the wait for the
// next one behind it.
func (b *bodySearch) next(s *scene, msg tea.Msg, now func() time.Time) tea.Cmd {
	switch msg := msg.(type) {
	case bodiesFound:
		if msg.generation == b.generation && msg.err == nil {
			return b.later(max(leastPause, msg.took*pauseForSearch))
		}
	case searchBodies:
		end := s.state.History.Requests.End()
		switch {
		case msg.generation != b.generation:
		case b.found != nil && b.until == end: // nothing has come
			return b.later(leastPause)
		default:
			b.running = true
			return b.search(searchOf(s), end, now)
		}
	}
	return nil
}

// bodySearcher finds the requests of which a body holds a text, as Controller.Search does.
type bodySearcher func(ctx context.Context, text string) (ids []uint64, all bool, err error)

// searchOf searches the session's bodies, or the recording's; nil where there are none.
func searchOf(s *scene) bodySearcher {
	switch {
	case s.control != nil:
		return s.control.Search
	case s.recording != nil:
		return s.recording.Search
	}
	return nil
}

// search looks for all texts in what was captured of the requests before a place.
func (b *bodySearch) search(search bodySearcher, until int, now func() time.Time) tea.Cmd {
	out := bodiesFound{generation: b.generation, until: until, found: map[string]map[uint64]bool{}}
	texts := b.texts
	return func() tea.Msg {
		if search == nil {
			out.err = errNoSearch
			return out
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		begun := now()
		for _, text := range texts {
			ids, all, err := search(ctx, text)
			if err != nil {
				out.err = err
				return out
			}
			out.partly = out.partly || !all
			out.found[text] = make(map[uint64]bool, len(ids))
			for _, id := range ids {
				out.found[text][id] = true
			}
		}
		out.took = now().Sub(begun)
		return out
	}
}
