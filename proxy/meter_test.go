package proxy

import (
	"testing"
	"time"
)

func TestLatenciesFallIntoQueueProxysBuckets(t *testing.T) {
	for _, row := range []struct {
		fact   string
		took   time.Duration
		bucket int
	}{
		{"whole milliseconds only", 4999 * time.Microsecond, 0},
		{"a bound belongs to the next bucket", 5 * time.Millisecond, 1},
		{"within", 399 * time.Millisecond, 12},
		{"the last bound", 100 * time.Second, 26},
		{"beyond all", time.Hour, 26},
	} {
		t.Run(row.fact, func(t *testing.T) {
			var c tally
			c.observe(row.took)
			if c.buckets[row.bucket].Load() != 1 || c.sum.Load() != row.took.Milliseconds() {
				t.Errorf("%s is not in bucket %d", row.took, row.bucket)
			}
		})
	}
}

func TestEveryStatusHasItsTally(t *testing.T) {
	var b byStatus
	for _, status := range []int{0, 100, 200, 200, 599, 999, 1000} {
		b.observe(status, 0)
	}
	got := map[int]uint64{}
	b.each(func(status int, t *tally) { got[status] = t.buckets[0].Load() })
	if len(got) != 4 || got[100] != 2 || got[200] != 2 || got[599] != 1 || got[999] != 2 {
		t.Errorf("got %v", got)
	}
}

func TestASpreadTellsPercentilesWithinSixPercent(t *testing.T) {
	for took := time.Microsecond; took < 30*time.Minute; took = took*11/10 + time.Microsecond {
		i := spreadIndex(took)
		value := spreadValue(i)
		if value < took.Truncate(time.Microsecond) || float64(value) > 1.07*float64(took)+float64(time.Microsecond) {
			t.Fatalf("%s is counted as %s", took, value)
		}
	}
	for _, took := range []time.Duration{-1, 0, 1 << 62} {
		if i := spreadIndex(took); i < 0 || i >= spreadSize {
			t.Errorf("%s has index %d", took, i)
		}
	}
}

func TestPercentilesAreOfWhatWasCountedSince(t *testing.T) {
	var s spread
	var before counts
	s.observe(time.Hour)
	if _, total := s.since(&before); total != 1 {
		t.Fatalf("counted %d", total)
	}
	for ms := range 100 {
		s.observe(time.Duration(ms+1) * time.Millisecond)
	}
	added, total := s.since(&before)
	if total != 100 {
		t.Fatalf("counted %d", total)
	}
	for _, row := range []struct {
		share float64
		want  time.Duration
	}{{0.5, 50 * time.Millisecond}, {0.95, 95 * time.Millisecond}, {0.99, 99 * time.Millisecond}, {1, 100 * time.Millisecond}, {0, time.Millisecond}} {
		if got := added.percentile(row.share, total); got < row.want-row.want/20 || got > row.want+row.want/10 {
			t.Errorf("p%g is %s, want %s", 100*row.share, got, row.want)
		}
	}
}

func TestCountingAllocatesNothing(t *testing.T) {
	x := newTestExchange(t)
	x.count(x.arrived)
	if n := testing.AllocsPerRun(100, func() { x.count(x.arrived) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func newTestExchange(t testing.TB) *exchange {
	t.Helper()
	s := New(Options{Models: []Model{iris()}})
	x := s.arrive("GET", "h", "/", "HTTP/1.1")
	if refused := x.find(); refused != nil {
		t.Fatal(refused)
	}
	x.reached, x.started, x.fact.Status = x.arrived, x.arrived, 200
	return x
}

func BenchmarkCount(b *testing.B) {
	x := newTestExchange(b)
	b.ReportAllocs()
	for b.Loop() {
		x.count(x.arrived)
	}
}
