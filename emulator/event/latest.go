package event

import "strconv"

// latest keeps the last event of each thing where each is whole, as many things as its
// bounds allow: those that were told longest ago go first.
type latest struct {
	events map[string]Event
	series int // of metrics, in all
}

const (
	keptLatest = 256
	keptSeries = 40_000 // some 10 MB
)

func (l *latest) add(e Event) {
	if l.events == nil {
		l.events = map[string]Event{}
	}
	l.drop(ofWhat(e))
	if f, is := e.Fact.(Scraped); is && f.Gone {
		return
	}
	l.events[ofWhat(e)] = e
	l.series += seriesOf(e)
	for len(l.events) > keptLatest || l.series > keptSeries && len(l.events) > 1 {
		l.drop(ofWhat(l.oldest()))
	}
}

func (l *latest) drop(what string) {
	if e, there := l.events[what]; there {
		l.series -= seriesOf(e)
		delete(l.events, what)
	}
}

func (l *latest) oldest() (oldest Event) {
	for _, e := range l.events {
		if oldest.Fact == nil || e.Seq < oldest.Seq {
			oldest = e
		}
	}
	return oldest
}

// ofWhat names what an event is the whole truth of.
func ofWhat(e Event) string {
	if f, is := e.Fact.(Scraped); is {
		return e.Model + " " + f.Of()
	}
	return e.Model + " " + strconv.Itoa(e.Revision)
}

func seriesOf(e Event) int {
	f, _ := e.Fact.(Scraped)
	return f.Series
}
