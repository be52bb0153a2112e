package event

import (
	"cmp"
	"maps"
	"slices"
)

// history keeps what a late subscriber must know: who the session and its models
// are for ever, the latest of everything else, each kind within its own bound, so
// that a flood of requests cannot push the logs out. Of what is whole each time only
// the last one of each thing is kept.
type history struct {
	identity []Event
	recent   map[string]*ring
	latest   map[string]*latest
}

// bounds are how many events of a kind are kept; logs also by bytes.
const (
	keptLogs     = 10_000
	keptLogBytes = 16 << 20
	keptServed   = 2_000
	keptOthers   = 2_000
)

func (h *history) add(e Event) {
	switch e.Fact.(type) {
	case Session, Declared, Listening:
		h.identity = append(h.identity, e)
		return
	}
	kind := e.Fact.kind()
	switch f := e.Fact.(type) {
	case Environment, Scraped:
		if h.latest[kind] == nil {
			h.latest[kind] = &latest{}
		}
		h.latest[kind].add(e)
		return
	case PodChanged:
		if metrics := h.latest[Scraped{}.kind()]; metrics != nil && f.Phase == PhaseStopped {
			metrics.drop(ofWhat(Event{Model: e.Model, Fact: Scraped{Pod: f.Pod, Source: MetricsScraped}}))
		}
	}
	if f, is := e.Fact.(Scaled); is && f.From != f.Desired {
		kind += " to another number" // what changes nothing does not push these out
	}
	r, ok := h.recent[kind]
	if !ok {
		r = newRing(e.Fact)
		h.recent[kind] = r
	}
	r.add(e)
}

// all gives everything kept, oldest first.
func (h *history) all() []Event {
	out := slices.Clone(h.identity)
	for _, l := range h.latest {
		out = slices.AppendSeq(out, maps.Values(l.events))
	}
	for _, r := range h.recent {
		out = append(out, r.events[r.first:]...)
	}
	slices.SortFunc(out, func(a, b Event) int { return cmp.Compare(a.Seq, b.Seq) })
	return out
}

// ring drops its oldest events at the front and moves the rest only now and then.
type ring struct {
	events []Event
	first  int
	most   int
	bytes  int
}

func newRing(f Fact) *ring {
	switch f.(type) {
	case Log:
		return &ring{most: keptLogs}
	case Served:
		return &ring{most: keptServed}
	}
	return &ring{most: keptOthers}
}

func (r *ring) add(e Event) {
	r.events = append(r.events, e)
	r.bytes += size(e)
	for len(r.events)-r.first > r.most || r.bytes > keptLogBytes {
		r.bytes -= size(r.events[r.first])
		r.events[r.first] = Event{}
		r.first++
	}
	if r.first > r.most {
		r.events = append(r.events[:0:0], r.events[r.first:]...)
		r.first = 0
	}
}

// size counts what may be large.
func size(e Event) int {
	if log, ok := e.Fact.(Log); ok {
		return len(log.Text)
	}
	return 0
}
