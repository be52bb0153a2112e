package session_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// noon is when the samples of these tests begin.
var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func after(seconds float64) time.Time {
	return noon.Add(time.Duration(seconds * float64(time.Second)))
}

// scrape applies a sample of pod a, so many seconds after noon.
func scrape(s *session.State, seconds float64, families ...event.Family) {
	scrapeOf(s, "a", seconds, families...)
}

func scrapeOf(s *session.State, pod string, seconds float64, families ...event.Family) {
	f := event.Scraped{Pod: pod, Source: event.MetricsScraped, At: after(seconds), Families: families}
	s.Apply(event.Event{Time: f.At, Model: "iris-1", Fact: f})
}

func counter(name string, value float64) event.Family {
	return event.Family{Name: name, Type: event.Counter, Series: []event.Series{{Value: event.Number(value)}}}
}

func histogram(name string, sum float64, counts ...float64) event.Family {
	s := event.Series{Sum: event.Number(sum), Count: event.Number(counts[len(counts)-1])}
	for i, n := range counts {
		upTo := event.Number(i + 1)
		if i == len(counts)-1 {
			upTo = event.Number(math.Inf(1))
		}
		s.Buckets = append(s.Buckets, event.Bucket{UpTo: upTo, Count: event.Number(n)})
	}
	return event.Family{Name: name, Type: event.Histogram, Series: []event.Series{s}}
}

// only is the one track of a series without labels.
func only(t *testing.T, s *session.State, name string) *session.Track {
	t.Helper()
	tracks := s.History.Tracks.Of("iris-1", session.SeriesKey(name, nil))
	if len(tracks) != 1 {
		t.Fatalf("%s has %d tracks", name, len(tracks))
	}
	return tracks[0]
}

func increase(x *session.Track, from, to float64) []float64 {
	sum := make([]float64, x.Width())
	x.Increase(sum, after(from), after(to))
	return sum
}

func TestACounterGrowsEvenlyBetweenTwoSamples(t *testing.T) {
	s := remembering()
	scrape(s, 0, counter("n_total", 100))
	scrape(s, 5, counter("n_total", 110))  // 2 a second
	scrape(s, 10, counter("n_total", 110)) // 0
	scrape(s, 15, counter("n_total", 4))   // began anew: 0.8 a second
	x := only(t, s, "n_total")
	for _, c := range []struct{ from, to, want float64 }{
		{0, 15, 14}, {0, 5, 10}, {1, 2, 2}, {2.5, 7.5, 5}, {5, 10, 0}, {10, 15, 4}, {12.5, 20, 2}, {-10, 0, 0}, {15, 30, 0},
	} {
		if got := increase(x, c.from, c.to)[0]; math.Abs(got-c.want) > 1e-9 {
			t.Errorf("from %v to %v it grew by %v, want %v", c.from, c.to, got, c.want)
		}
	}
}

// A sample that says what the one before said is not told. So what a later one adds came
// in the five seconds before it, and not since the last one that was told.
func TestWhatWasNotToldStayedTheSame(t *testing.T) {
	s := remembering()
	scrape(s, 0, counter("n_total", 1))
	scrape(s, 60, counter("n_total", 11))
	x := only(t, s, "n_total")
	if early, late := increase(x, 0, 55)[0], increase(x, 55, 60)[0]; early != 0 || late != 10 {
		t.Errorf("it grew by %v and then by %v", early, late)
	}
	s.Apply(event.Event{Model: "iris-1", Fact: event.Scraped{Pod: "a", Source: event.MetricsScraped, At: after(65), Error: "refused"}})
	scrape(s, 80, counter("n_total", 31)) // nobody knows what it said in between
	if got := increase(x, 60, 70)[0]; got != 10 {
		t.Errorf("within a gap it grew by %v", got)
	}
}

func TestACounterThatAppearsBeganFromZero(t *testing.T) {
	s := remembering()
	scrape(s, 0, counter("a_total", 7))
	scrape(s, 5, counter("a_total", 7), counter("b_total", 3))
	if got := increase(only(t, s, "b_total"), 0, 5)[0]; got != 3 {
		t.Errorf("the new one grew by %v", got)
	}
	if got := increase(only(t, s, "a_total"), -5, 5)[0]; got != 0 {
		t.Errorf("the one of the first sample grew by %v", got)
	}
}

func TestAHistogramGrowsBucketByBucket(t *testing.T) {
	s := remembering()
	scrape(s, 0, histogram("h", 10, 1, 2, 3))
	scrape(s, 5, histogram("h", 30, 2, 6, 8))
	scrape(s, 10, histogram("h", 3, 1, 1, 1)) // began anew
	x := only(t, s, "h")
	if got := fmt.Sprint(increase(x, 0, 5)); got != "[5 20 1 4 5]" {
		t.Errorf("count, sum and buckets grew by %s", got)
	}
	if got := fmt.Sprint(increase(x, 5, 10)); got != "[1 3 1 1 1]" {
		t.Errorf("after a restart they grew by %s", got)
	}
	if got := fmt.Sprint(x.Bounds); got != "[1 2 +Inf]" {
		t.Errorf("bounds are %s", got)
	}
	scrape(s, 15, histogram("h", 3, 1, 1)) // other buckets: another past, from zero
	if x := only(t, s, "h"); len(x.Bounds) != 2 || fmt.Sprint(increase(x, 0, 15)) != "[1 3 1 1]" {
		t.Errorf("with other buckets %v it grew by %v", x.Bounds, increase(x, 0, 15))
	}
}

func TestAGaugeIsWhatItWasLast(t *testing.T) {
	s := remembering()
	gauge := func(v float64) event.Family {
		return event.Family{Name: "g", Type: event.Gauge, Series: []event.Series{{Value: event.Number(v)}}}
	}
	for i, v := range []float64{3, 3, math.NaN(), math.NaN(), 5} {
		scrape(s, float64(5*i), gauge(v))
	}
	x := only(t, s, "g")
	if x.Len() != 3 || !x.Seen.Equal(after(20)) {
		t.Errorf("there are %d points, the last of %v", x.Len(), x.Seen)
	}
	if v := x.At(after(-1)); v != nil {
		t.Errorf("before the first it is %v", v)
	}
	if a, b, c := x.At(after(9))[0], x.At(after(12))[0], x.At(after(99))[0]; a != 3 || !math.IsNaN(b) || c != 5 {
		t.Errorf("it is %v, %v, %v", a, b, c)
	}
}

func TestAPastOutlivesItsPodAndKnowsItsEnd(t *testing.T) {
	s := remembering()
	scrapeOf(s, "a", 0, counter("n_total", 1))
	scrapeOf(s, "b", 1, counter("n_total", 1))
	s.Apply(event.Event{Time: after(9), Model: "iris-1", Fact: event.PodChanged{Pod: "a", Phase: event.PhaseStopped}})
	tracks := s.History.Tracks.Of("iris-1", session.SeriesKey("n_total", nil))
	if len(tracks) != 2 || !tracks[0].Gone.Equal(after(9)) || !tracks[1].Gone.IsZero() {
		t.Errorf("tracks are %+v", tracks)
	}
}

func TestThePastsOfSeriesAreBounded(t *testing.T) {
	s := remembering()
	families := func(prefix string, n int) (all []event.Family) {
		for i := range n {
			all = append(all, counter(fmt.Sprintf("%s%d_total", prefix, i), 1))
		}
		return all
	}
	tracks := s.History.Tracks
	scrape(s, 0, families("a", 1_500)...)
	scrape(s, 5, families("b", 1_500)...)
	if tracks.Len() != 2_000 || tracks.Untracked != 1_000 { // the a's were in the last sample until now
		t.Errorf("%d are kept, %d are not", tracks.Len(), tracks.Untracked)
	}
	scrape(s, 10, families("b", 1_500)...)
	if tracks.Len() != 2_000 || tracks.Untracked != 0 {
		t.Errorf("once they may go, %d are kept, %d are not", tracks.Len(), tracks.Untracked)
	}
	if x := tracks.Of("iris-1", session.SeriesKey("b1499_total", nil)); len(x) != 1 || increase(x[0], 0, 10)[0] != 0 {
		t.Error("one that had no room is taken to have begun from zero")
	}
	scrape(s, 15, families("c", 3_000)...)
	s.Apply(event.Event{Time: after(20), Model: "iris-1", Fact: event.PodChanged{Pod: "a", Phase: event.PhaseStopped}})
	if tracks.Untracked != 0 {
		t.Errorf("of a source that is gone %d are not kept", tracks.Untracked)
	}
}

func TestAPastIsBoundedByPointsAndBytes(t *testing.T) {
	s := remembering()
	for i := range 1_000 {
		scrape(s, float64(5*i), counter("n_total", float64(i)))
	}
	x := only(t, s, "n_total")
	if x.Len() > 240 || x.Len() < 200 || increase(x, 4900, 4995)[0] != 19 {
		t.Errorf("%d points are kept", x.Len())
	}
	s = remembering()
	long := strings.Repeat("x", 4_000)
	for i := range 60 {
		var family event.Family
		family.Name, family.Type = "h", event.Histogram
		for j := range 38 {
			h := histogram("h", float64(i), append(make([]float64, 48), float64(i))...)
			h.Series[0].Labels = map[string]string{"n": fmt.Sprint(j), "long": long}
			family.Series = append(family.Series, h.Series[0])
		}
		scrape(s, float64(5*i), family)
	}
	tracks := s.History.Tracks
	if tracks.Len() != 38*51 || tracks.Bytes() > 16<<20 {
		t.Errorf("%d series take %d bytes", tracks.Len(), tracks.Bytes())
	}
	for i := range 400 { // every scrape with other labels, as from a model that puts ids there
		f := counter("churn_total", 1)
		f.Series[0].Labels = map[string]string{"id": fmt.Sprint(i)}
		scrape(s, float64(400+5*i), f)
	}
	if tracks.Len() > 2_000 || tracks.Bytes() > 16<<20 {
		t.Errorf("%d series take %d bytes", tracks.Len(), tracks.Bytes())
	}
}

func TestAClonesPastsGoTheirOwnWay(t *testing.T) {
	s := remembering()
	scrape(s, 0, counter("n_total", 0))
	scrape(s, 5, counter("n_total", 10))
	c := s.Clone()
	scrape(s, 10, counter("n_total", 30))
	scrape(c, 10, counter("n_total", 11))
	scrape(c, 15, counter("m_total", 1))
	c.Apply(event.Event{Time: after(20), Model: "iris-1", Fact: event.PodChanged{Pod: "a", Phase: event.PhaseStopped}})
	if a, b := increase(only(t, s, "n_total"), 0, 20)[0], increase(only(t, c, "n_total"), 0, 20)[0]; a != 30 || b != 11 {
		t.Errorf("they grew by %v and %v", a, b)
	}
	if x := only(t, s, "n_total"); !x.Gone.IsZero() || s.History.Tracks.Len() != 1 || c.History.Tracks.Len() != 2 {
		t.Errorf("gone at %v, %d and %d series", x.Gone, s.History.Tracks.Len(), c.History.Tracks.Len())
	}
}

func BenchmarkASampleOf2000Series(b *testing.B) {
	s := remembering()
	for i := range b.N {
		var family event.Family
		family.Name, family.Type = "n_total", event.Counter
		for j := range 2_000 {
			family.Series = append(family.Series, event.Series{Labels: map[string]string{"path": fmt.Sprint(j), "code": "200"}, Value: event.Number(i)})
		}
		scrape(s, float64(5*i), family)
	}
}
