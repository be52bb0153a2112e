package tui

import (
	"sort"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/tui/filter"
)

// requestList are those of the session's requests that are shown, by their places in the
// history: the model's, and those that reached none, as far as the filter chooses them.
// What was looked at once is not looked at again.
type requestList struct {
	model  string
	looked int   // all before this place were looked at
	places []int // of those that are shown, the oldest first
	kept   []int // of those that could be: chosen or not

	cursor    int // a place
	top       int // the place in the first row
	following bool
	stoodAt   int // what is at this place or after it came since it does not follow any more
	height    int // rows that were drawn last
}

// restart looks at everything again: another filter chooses. The cursor stays where it is.
func (l *requestList) restart() {
	l.looked, l.places, l.kept = 0, nil, nil
}

// rewound looks at everything again, as it is at another place of a recording.
func (p *requests) rewound() {
	p.list.restart()
	p.list.following = true
	p.pods = podNames{}
	p.bodies.until = 0
}

// update looks at the requests before a place that have not been looked at.
func (l *requestList) update(s *scene, pods *podNames, chosen *filter.Filter, before int, inBody func(string, uint64) bool) {
	ring := &s.state.History.Requests
	id := ""
	if s.model != nil {
		id = s.model.ID
	}
	if l.model != id {
		*l = requestList{model: id, following: true, height: l.height}
	}
	for place := max(l.looked, ring.First()); place < min(before, ring.End()); place++ {
		e := ring.At(place)
		if e.Model != id && e.Model != "" {
			continue
		}
		l.kept = append(l.kept, place)
		served := e.Fact.(event.Served) // the ring has no others
		if !chosen.Match(&filter.Request{Served: &served, Revision: e.Revision, Pod: pods.of(s, &served), InBody: inBody}) {
			continue
		}
		l.places = append(l.places, place)
	}
	l.looked = max(l.looked, min(before, ring.End()))
	l.places = dropBefore(l.places, ring.First())
	l.kept = dropBefore(l.kept, ring.First())
	l.settle()
}

// dropBefore takes away the places of what the history does not keep any more.
func dropBefore(places []int, first int) []int { return places[sort.SearchInts(places, first):] }

// settle puts the cursor onto a request that is shown, and the window around it.
func (l *requestList) settle() {
	if len(l.places) == 0 {
		return
	}
	last := len(l.places) - 1
	at := min(sort.SearchInts(l.places, l.cursor), last)
	top := min(sort.SearchInts(l.places, l.top), last)
	if l.following {
		at = last
	}
	height := max(l.height, 1)
	top = min(max(top, at-height+1, 0), at, max(len(l.places)-height, 0))
	l.cursor, l.top = l.places[at], l.places[top]
}

// move moves the cursor by so many rows. Upwards it stops following; on the last row it
// follows again.
func (l *requestList) move(rows int) {
	if len(l.places) == 0 {
		return
	}
	at := min(max(sort.SearchInts(l.places, l.cursor)+rows, 0), len(l.places)-1)
	l.cursor = l.places[at]
	l.follow(at == len(l.places)-1)
	l.settle()
}

// stay stops following, so that the row under the cursor stays where it is.
func (l *requestList) stay() { l.follow(false) }

func (l *requestList) follow(on bool) {
	if l.following && !on && len(l.places) > 0 {
		l.stoodAt = l.places[len(l.places)-1] + 1
	}
	l.following = on
}

// fresh is how many are shown that came since it does not follow any more.
func (l *requestList) fresh() int {
	if l.following {
		return 0
	}
	return len(l.places) - sort.SearchInts(l.places, l.stoodAt)
}

// window are the places in the rows that are visible.
func (l *requestList) window(height int) []int {
	l.height = height
	l.settle()
	from := sort.SearchInts(l.places, l.top)
	return l.places[from:min(from+height, len(l.places))]
}

// podNames tells which replica an address is: its pod's name.
type podNames struct {
	looked int               // happenings before this place were looked at
	pods   map[string]string // by address
	shorts map[string]string // the containers' short ids, as lines of the log have them, by address
}

// learn takes note of the containers that were started.
func (n *podNames) learn(s *scene) {
	if n.pods == nil || len(n.pods) > 1000 {
		*n = podNames{pods: map[string]string{}, shorts: map[string]string{}}
	}
	h := &s.state.History.Happenings
	for place := max(n.looked, h.First()); place < h.End(); place++ {
		if f, is := h.At(place).Fact.(event.Started); is && f.Address != "" {
			n.pods[f.Address], n.shorts[f.Address] = f.Pod, f.Replica
		}
	}
	n.looked = h.End()
}

// of is the name of the pod that answered; empty where it is not known.
func (n *podNames) of(_ *scene, f *event.Served) string { return n.pods[f.Replica] }
