package session

import (
	"math"
	"slices"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Track is the past of one series: a point for each sample in which its values changed.
// Between two points they stayed as they were.
type Track struct {
	Family string
	Type   event.MetricType
	Labels map[string]string
	// Bounds are of a histogram's buckets, or the shares of a summary's quantiles.
	Bounds []float64
	// Source is where it comes from, as event.Scraped.Of names it; Gone is since when that
	// is there no more, zero while it is. Seen is the time of the last sample with it.
	Source     string
	Gone, Seen time.Time

	key    string
	src    *source
	weight int
	cost   int // bytes, its points aside
	width  int // values a point
	since  []int64
	at     []int64 // Unix nanoseconds, as since
	values []float64
}

// A point of a histogram or a summary has its count, its sum, and then the buckets'
// counts or the quantiles' values; one of another type has its value alone.
const (
	CountAt = iota
	SumAt
	FirstAt // of the buckets or quantiles
)

func newTrack(key, source string, f *event.Family, s *event.Series) *Track {
	x := &Track{Family: f.Name, Type: f.Type, Labels: s.Labels, Source: source, key: key, weight: weight(s), width: 1}
	if f.Type == event.Histogram || f.Type == event.Summary {
		x.Bounds = boundsOf(s)
		x.width = FirstAt + len(x.Bounds)
	}
	x.cost = trackBytes + len(key) + 8*len(x.Bounds)
	for name, value := range s.Labels {
		x.cost += len(name) + len(value) + 32
	}
	return x
}

func boundsOf(s *event.Series) []float64 {
	bounds := make([]float64, 0, len(s.Buckets)+len(s.Quantiles))
	for _, b := range s.Buckets {
		bounds = append(bounds, float64(b.UpTo))
	}
	for _, q := range s.Quantiles {
		bounds = append(bounds, float64(q.Share))
	}
	return bounds
}

// fits tells whether the series still has the form that the track keeps.
func (x *Track) fits(f *event.Family, s *event.Series) bool {
	if f.Type != x.Type {
		return false
	}
	if x.width == 1 {
		return true
	}
	if len(s.Buckets)+len(s.Quantiles) != len(x.Bounds) {
		return false
	}
	for i, b := range s.Buckets {
		if float64(b.UpTo) != x.Bounds[i] {
			return false
		}
	}
	for i, q := range s.Quantiles {
		if float64(q.Share) != x.Bounds[len(s.Buckets)+i] {
			return false
		}
	}
	return true
}

// Cumulative tells whether values only grow, but for restarts: what counts is by how much.
func (x *Track) Cumulative() bool { return x.Type == event.Counter || x.Type == event.Histogram }

// take adds the series' values where they differ from the last ones.
func (x *Track) take(when moment, s *event.Series) {
	values := make([]float64, 0, FirstAt+64)
	if x.width == 1 {
		values = append(values, float64(s.Value))
	} else {
		values = append(values, float64(s.Count), float64(s.Sum))
		for _, b := range s.Buckets {
			values = append(values, float64(b.Count))
		}
		for _, q := range s.Quantiles {
			values = append(values, float64(q.Value))
		}
	}
	since := when.since
	if n := x.Len(); n == 0 {
		since = when.at
	} else if slices.EqualFunc(values, x.Values(n-1), same) {
		return
	} else if last := time.Unix(0, x.at[n-1]); since.Before(last) {
		since = last
	}
	x.add(since, when.at, values)
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func (x *Track) add(since, at time.Time, values []float64) {
	if x.Len() == mostPoints {
		x.drop(mostPoints / 10)
	}
	x.since, x.at = append(x.since, since.UnixNano()), append(x.at, at.UnixNano())
	x.values = append(x.values, values...)
}

// drop forgets the oldest points.
func (x *Track) drop(n int) {
	x.since = slices.Clip(append([]int64(nil), x.since[n:]...))
	x.at = slices.Clip(append([]int64(nil), x.at[n:]...))
	x.values = slices.Clip(append([]float64(nil), x.values[n*x.width:]...))
}

// clone shares the points: who adds one moves them, or adds it where nobody else looks.
func (x *Track) clone() *Track {
	c := *x
	c.since, c.at, c.values = slices.Clip(x.since), slices.Clip(x.at), slices.Clip(x.values)
	return &c
}

func (x *Track) pointBytes() int { return 8 * (2 + x.width) }

func (x *Track) bytes() int { return x.cost + 8*(cap(x.since)+cap(x.at)+cap(x.values)) }

// Len is how many points there are.
func (x *Track) Len() int { return len(x.at) }

// Values are the i-th point's; they are not to be changed.
func (x *Track) Values(i int) []float64 { return x.values[i*x.width : (i+1)*x.width] }

// Span is when the i-th point was seen, and until when the values before it stayed.
func (x *Track) Span(i int) (since, at time.Time) {
	return time.Unix(0, x.since[i]), time.Unix(0, x.at[i])
}

// Width is how many values a point has.
func (x *Track) Width() int { return x.width }

// At are the values at a time; nil before the first point.
func (x *Track) At(t time.Time) []float64 {
	i, found := slices.BinarySearch(x.at, t.UnixNano())
	if !found {
		i--
	}
	if i < 0 {
		return nil
	}
	return x.Values(i)
}

// From is the time of the oldest point; zero where there is none.
func (x *Track) From() time.Time {
	if x.Len() == 0 {
		return time.Time{}
	}
	return time.Unix(0, x.at[0])
}

// Increase adds to sum by how much each value grew from one time to another. A value that
// became less began anew from zero, as Prometheus takes it. What grew between two samples
// is spread evenly.
func (x *Track) Increase(sum []float64, from, to time.Time) {
	a, b := from.UnixNano(), to.UnixNano()
	first, _ := slices.BinarySearch(x.at, a)
	for i := max(first, 1); i < len(x.at) && x.since[i] < b; i++ {
		share := 1.0
		if length := x.at[i] - x.since[i]; length > 0 {
			share = float64(min(b, x.at[i])-max(a, x.since[i])) / float64(length)
		}
		if share <= 0 {
			continue
		}
		before, now := x.Values(i-1), x.Values(i)
		reset := now[CountAt] < before[CountAt] // a count that fell, whatever the rest
		for j := range now {
			grown := now[j] - before[j]
			if reset || grown < 0 && j != SumAt {
				grown = now[j]
			}
			sum[j] += share * grown
		}
	}
}
