package session

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Recording is a session that was recorded, one event a line: the state at any place in
// it is what the events before that place make. It keeps where the lines are, not what
// they say, and some states of which others are made. One goroutine asks for states at a
// time; events and exchanges may be asked for besides.
type Recording struct {
	file      io.ReaderAt
	lines     []line
	matters   func(event.Event) bool
	rare      []int // the places after what matters, in their order
	exchanges map[uint64]int
	notes     []string
	states    []checkpoint // by place; the first is the beginning
	most      int          // bytes of their histories, about
	every     int          // so many events are between two at least
	near      []checkpoint // between two of states: where a person steps back and forth
}

// line is where an event is in the file, and when it was.
type line struct {
	at   int64 // of its first byte
	size int32
	time int64 // in nanoseconds since 1970
}

// checkpoint is the state of the events before a place.
type checkpoint struct {
	place int
	state *State
}

const (
	longestLine = 64 << 20 // bytes; a captured body is in base64
	stateBytes  = 48 << 20 // of all kept states' histories, about
	firstEvery  = 1024
	nearStates  = 8
)

// OpenRecording reads all events of a file of so many bytes; matters tells those that a
// person steps to. Where a line is no event, what was before it counts, and Notes say so;
// it is an error only where nothing was.
func OpenRecording(file io.ReaderAt, size int64, matters func(event.Event) bool) (*Recording, error) {
	return openRecording(file, size, matters, stateBytes)
}

// openRecording keeps states whose histories take about so many bytes.
func openRecording(file io.ReaderAt, size int64, matters func(event.Event) bool, most int) (*Recording, error) {
	r := &Recording{file: file, matters: matters, exchanges: map[uint64]int{}, every: firstEvery, most: most}
	state := fresh()
	r.states = []checkpoint{{0, state.Clone()}}
	reader := &lineReader{r: bufio.NewReaderSize(io.NewSectionReader(file, 0, size), 1<<16)}
	unknown := 0
	for number := 1; ; number++ {
		at := reader.at
		text, err := reader.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		var e event.Event
		if err == nil {
			err = json.Unmarshal(text, &e)
		}
		switch {
		case errors.Is(err, event.ErrUnknownKind):
			if unknown++; unknown == 1 {
				r.note("line %d: %v; such lines are left out", number, err)
			}
			continue
		case err != nil:
			r.note("line %d cannot be read: %v; what was before it is shown", number, err)
			return r.opened(state)
		}
		if err := r.begins(e); err != nil {
			return nil, err
		}
		r.take(e, line{at, int32(len(text)), e.Time.UnixNano()}, state)
	}
	if unknown > 1 {
		r.note("%d lines in all are of kinds that this version does not know", unknown)
	}
	return r.opened(state)
}

func fresh() *State {
	s := &State{Models: []*Model{}}
	s.Remember()
	return s
}

func (r *Recording) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// begins refuses what another version wrote in another form.
func (r *Recording) begins(e event.Event) error {
	if s, is := e.Fact.(event.Session); is && s.Format > event.Format {
		return fmt.Errorf("it is in format %d, of a newer merlin-local (%s); this one reads up to %d", s.Format, s.Version, event.Format)
	}
	return nil
}

// take notes an event and applies it.
func (r *Recording) take(e event.Event, l line, state *State) {
	r.lines = append(r.lines, l)
	if f, is := e.Fact.(event.Exchange); is {
		r.exchanges[f.ID] = len(r.lines) - 1
	}
	state.Apply(e)
	if r.matters(e) {
		r.rare = append(r.rare, len(r.lines))
	}
	if len(r.lines)-r.states[len(r.states)-1].place >= r.every {
		r.states = append(r.states, checkpoint{len(r.lines), state.Clone()})
		r.thin()
	}
}

// thin leaves every second state out once all of them take too much memory.
func (r *Recording) thin() {
	bytes := 0
	for _, c := range r.states {
		bytes += c.state.History.Bytes()
	}
	if bytes <= r.most || len(r.states) < 3 {
		return
	}
	r.every *= 2
	kept := r.states[:0]
	for i, c := range r.states {
		if i%2 == 0 {
			kept = append(kept, c)
		}
	}
	clear(r.states[len(kept):])
	r.states = kept
}

// opened is the recording after all of it was read; state is the last.
func (r *Recording) opened(state *State) (*Recording, error) {
	if len(r.lines) == 0 {
		if len(r.notes) > 0 {
			return nil, errors.New(r.notes[0])
		}
		return nil, errors.New("it is empty")
	}
	r.near = []checkpoint{{len(r.lines), state}}
	return r, nil
}

// Len is how many events there are: the places are from 0, before the first, to Len.
func (r *Recording) Len() int { return len(r.lines) }

// Notes say what could not be read, as sentences.
func (r *Recording) Notes() []string { return r.notes }

// Time is when the event before a place was; the first one's at the beginning.
func (r *Recording) Time(place int) time.Time {
	return time.Unix(0, r.lines[max(place-1, 0)].time).UTC()
}

// At is the last place at which nothing was after a time.
func (r *Recording) At(at time.Time) int {
	return sort.Search(len(r.lines), func(i int) bool { return r.lines[i].time > at.UnixNano() })
}

// Before and After are the places before and after a place that what matters leads to. They are the beginning and the end where there is none.
func (r *Recording) Before(place int) int {
	if i, _ := slices.BinarySearch(r.rare, place); i > 0 {
		return r.rare[i-1]
	}
	return 0
}

// After is as Before says.
func (r *Recording) After(place int) int {
	if i, _ := slices.BinarySearch(r.rare, place+1); i < len(r.rare) {
		return r.rare[i]
	}
	return len(r.lines)
}

// State is the state at a place, with its history. It is the caller's.
func (r *Recording) State(place int) (*State, error) {
	from := checkpoint{}
	for _, c := range slices.Concat(r.states, r.near) {
		if c.place <= place && (from.state == nil || c.place > from.place) {
			from = c
		}
	}
	state := from.state.Clone()
	last := from.place
	for at := from.place; at < place; at++ {
		e, err := r.event(at)
		if err != nil {
			return nil, err
		}
		state.Apply(e)
		if left := place - at - 1; left > 0 && (at+1-last) >= max(r.every/nearStates, 64) {
			last = at + 1
			r.keep(checkpoint{last, state.Clone()})
		}
	}
	return state, nil
}

// keep notes a state near to where a person is, and forgets the one of that kind that is
// farthest from it.
func (r *Recording) keep(c checkpoint) {
	r.near = append(r.near, c)
	if len(r.near) <= nearStates {
		return
	}
	far := 0
	for i, other := range r.near {
		if distance(other, c) > distance(r.near[far], c) {
			far = i
		}
	}
	r.near = slices.Delete(r.near, far, far+1)
}

func distance(a, b checkpoint) int { return max(a.place-b.place, b.place-a.place) }

// Events are those from one place to another.
func (r *Recording) Events(from, to int) ([]event.Event, error) {
	events := make([]event.Event, 0, max(to-from, 0))
	for at := from; at < to; at++ {
		e, err := r.event(at)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, nil
}

// Exchange is what was recorded of a request, by the ID that its event.Served has.
func (r *Recording) Exchange(id uint64) (event.Exchange, error) {
	at, there := r.exchanges[id]
	if !there {
		return event.Exchange{}, errors.New("the recording has no headers and bodies of this request")
	}
	e, err := r.event(at)
	if err != nil {
		return event.Exchange{}, err
	}
	return e.Fact.(event.Exchange), nil
}

// event reads the event after a place again.
func (r *Recording) event(place int) (e event.Event, err error) {
	l := r.lines[place]
	text := make([]byte, l.size)
	if _, err := r.file.ReadAt(text, l.at); err != nil && !errors.Is(err, io.EOF) {
		return e, fmt.Errorf("read the recording again: %w", err)
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return e, fmt.Errorf("the recording has changed since it was opened: %w", err)
	}
	return e, nil
}

// lineReader gives the lines of a file with their ends cut off, whatever their length up
// to a bound.
type lineReader struct {
	r  *bufio.Reader
	at int64 // where the next line begins

	long []byte
}

// next returns the next line; it is valid until the next call. A last
// line without an end is one too: whether it is whole is seen in it.
func (l *lineReader) next() ([]byte, error) {
	l.long = l.long[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		l.long = append(l.long, part...)
		l.at += int64(len(part))
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			if len(l.long) > longestLine {
				return nil, fmt.Errorf("it is longer than %d MiB", longestLine>>20)
			}
			continue
		case errors.Is(err, io.EOF) && len(l.long) > 0, err == nil:
			return bytes.TrimSuffix(l.long, []byte("\n")), nil
		}
		return nil, err
	}
}
