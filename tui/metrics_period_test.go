package tui

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

func TestColumnsBeginAtMultiplesOfTheirLength(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		now    time.Time
		length time.Duration
		n      int
		from   time.Time
		step   time.Duration
	}{
		{noon, 10 * time.Minute, 20, noon.Add(-9*time.Minute - 30*time.Second), 30 * time.Second},
		{noon.Add(29 * time.Second), 10 * time.Minute, 20, noon.Add(-9*time.Minute - 30*time.Second), 30 * time.Second},
		{noon.Add(30 * time.Second), 10 * time.Minute, 20, noon.Add(-9 * time.Minute), 30 * time.Second},
		{noon, 2 * time.Minute, 0, noon, 2 * time.Minute},
	} {
		p := periodOf(c.now, c.length, c.n)
		if !p.from.Equal(c.from) || p.step != c.step {
			t.Errorf("%v until %v in %d: from %v by %v", c.length, c.now, c.n, p.from, p.step)
		}
		if last := p.column(c.now); last != p.n-1 {
			t.Errorf("now is in column %d of %d", last, p.n)
		}
	}
}

func TestAColumnShowsTheHighestInIt(t *testing.T) {
	state := &session.State{}
	state.Remember()
	state.Apply(event.Event{Fact: event.Session{}})
	state.Apply(event.Event{Model: "m", Fact: event.Declared{}})
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for _, x := range []struct {
		second int
		rate   float64
		errors uint64
	}{{3, 5, 0}, {12, 9, 2}, {13, 1, 2}, {31, 0, 3}} {
		state.Apply(event.Event{Time: noon.Add(time.Duration(x.second) * time.Second), Model: "m", Fact: event.Traffic{
			Rate: x.rate, Errors: x.errors, Percentiles: event.Percentiles{P50: time.Duration(x.rate) * time.Second},
		}})
	}
	past := &state.History.Of("m").Seconds
	rates := measure{of: func(x *session.Second) (float64, bool) { return x.Rate, true }}
	p50 := measure{of: func(x *session.Second) (float64, bool) { return x.P50.Seconds(), x.Rate > 0 }}
	failed := measure{passing: true, of: func(x *session.Second) (float64, bool) { return float64(x.Failed), true }}
	// Five columns of ten seconds, from 11:59:50 on. Nothing is known before 12:00:03.
	got := curves(past, periodOf(noon.Add(39*time.Second), 50*time.Second, 5), []measure{rates, p50, failed})
	for i, want := range []struct {
		columns       string
		now, min, max float64
	}{
		// 5 from :03 to :12, 9 in :12, 1 from :13 to :31, then none.
		{"[NaN 5 9 1 1]", 0, 0, 9},
		// Where nothing is answered there is no latency, so from :31 on it is not known.
		{"[NaN 5 9 1 1]", math.NaN(), 1, 9},
		// Two in :12, one in :31; they do not stay.
		{"[NaN 0 2 0 1]", 0, 0, 2},
	} {
		c := got[i]
		if fmt.Sprint(c.columns) != want.columns || fmt.Sprint(c.now, c.min, c.max) != fmt.Sprint(want.now, want.min, want.max) {
			t.Errorf("%d: columns %v, now %v, min %v, max %v; want %+v", i, c.columns, c.now, c.min, c.max, want)
		}
	}
	// What was last before the period holds in it.
	got = curves(past, periodOf(noon.Add(29*time.Second), 15*time.Second, 3), []measure{rates})
	if fmt.Sprint(got[0].columns) != "[1 1 1]" || got[0].max != 1 {
		t.Errorf("columns %v, max %v", got[0].columns, got[0].max)
	}
}
