package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture/recording"
)

// keeper writes a session's events to a recording, numbered anew. The session tells only
// of its latest requests; older ones that are still kept stand where they belong in time.
type keeper struct {
	model string // empty is all
	after uint64 // requests up to this one are left out
	most  int    // requests; 0 is no limit
	lines recordingLines
	seq   uint64

	older []uint64 // kept requests that are not written yet, the oldest first
	first uint64   // the session tells of this one and those after it
	next  *event.Exchange

	written int // requests with all that there is
	cut     int // of them, those whose bodies are not whole
	lost    int // requests without more than that they were served
	why     error
	dropped int    // lines that the session could not hand over in time
	evicted uint64 // requests that made room before all began
}

// await notes what is kept before the recording begins.
func (s *keeper) await(ids []uint64, first uint64) {
	slices.Sort(ids)
	s.older, s.first = ids, first
}

func (s *keeper) to(out io.Writer, lookup func(uint64) (event.Exchange, error)) {
	w := recording.NewWriter(out)
	w.By = version()
	s.lines = recordingLines{w, lookup}
}

// take writes an event, and before it what was earlier; enough tells that no more is
// wanted.
func (s *keeper) take(e event.Event) (enough bool, err error) {
	served, is := e.Fact.(event.Served)
	if is {
		if served.ID <= s.after {
			return false, nil
		}
		err = s.before(func(id uint64, _ time.Time) bool { return id < served.ID })
		if len(s.older) > 0 && s.older[0] == served.ID {
			s.older, s.next = s.older[1:], nil
		}
	} else {
		err = s.before(func(id uint64, ended time.Time) bool { return (s.first == 0 || id < s.first) && !ended.After(e.Time) })
	}
	if err != nil || s.enough() {
		return s.enough(), cmp.Or(err, s.lines.Flush())
	}
	if s.model != "" && e.Model != "" && e.Model != s.model {
		return false, nil
	}
	if d, is := e.Fact.(event.Dropped); is {
		s.dropped += d.Count
	}
	if err := s.event(e, is); err != nil {
		return false, err
	}
	return s.enough(), s.lines.Flush()
}

// event writes an event as it came.
func (s *keeper) event(e event.Event, served bool) error {
	s.seq++
	e.Seq = s.seq
	x, lost, err := s.lines.line(e)
	switch {
	case !served || err != nil:
	case lost != nil:
		s.lost++
		s.why = lost
	default:
		s.count(x)
	}
	return err
}

// before writes the older requests for which that holds.
func (s *keeper) before(holds func(id uint64, ended time.Time) bool) error {
	for len(s.older) > 0 && !s.enough() {
		id := s.older[0]
		if s.next == nil {
			x, err := s.lines.lookup(id)
			if err != nil { // it has made room meanwhile
				s.lost++
				s.why, s.older = err, s.older[1:]
				continue
			}
			s.next = &x
		}
		x := *s.next
		ended := x.Arrived.Add(x.Took)
		if !holds(id, ended) {
			return nil
		}
		s.older, s.next = s.older[1:], nil
		if s.model != "" && x.Model != s.model {
			continue
		}
		s.seq++
		s.count(x)
		if err := s.lines.pair(event.Event{Seq: s.seq, Time: ended, Model: x.Model, Revision: x.Revision, Fact: x.Served}, x); err != nil {
			return err
		}
	}
	return nil
}

// finish writes what is left of what was kept.
func (s *keeper) finish() error {
	if err := s.before(func(uint64, time.Time) bool { return true }); err != nil {
		return err
	}
	return s.lines.Close()
}

func (s *keeper) enough() bool { return s.most > 0 && s.written >= s.most }

func (s *keeper) count(x event.Exchange) {
	s.written++
	if x.Request.Cut != "" || x.Answer.Cut != "" {
		s.cut++
	}
}

// told says what was written, and what not and why, in lines.
func (s *keeper) told(path string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "saved %s", counted(s.written, "request", "requests"))
	if path != "" {
		fmt.Fprintf(&text, " to %s", path)
	}
	text.WriteByte('\n')
	for _, line := range []struct {
		is   bool
		text string
	}{
		{s.cut > 0, fmt.Sprintf("  %s of which not all passed into the file as it was: \"cut\" says why there", counted(s.cut, "request", "requests"))},
		{s.lost > 0, fmt.Sprintf("  %s without header and body: %v", counted(s.lost, "request", "requests"), s.why)},
		{s.evicted > 0, fmt.Sprintf("  %d earlier ones had made room for newer ones (capture.bytes in merlin-local.yaml sets how many are kept)", s.evicted)},
		{s.dropped > 0, fmt.Sprintf("  %s came faster than they could be written, and are not there", counted(s.dropped, "line", "lines"))},
	} {
		if line.is {
			text.WriteString(line.text + "\n")
		}
	}
	return text.String()
}
