package tui

import (
	"math"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/session"
)

// period is a time in equal columns, now in the last one.
type period struct {
	from time.Time
	step time.Duration
	n    int
	now  time.Time
}

// periodOf is so long a time until now in n columns. They begin at multiples of their
// length, so that what is drawn moves by whole columns and does not flicker.
func periodOf(now time.Time, length time.Duration, n int) period {
	n = max(n, 1)
	step := (length + time.Duration(n) - 1) / time.Duration(n)
	end := now.Truncate(step).Add(step)
	return period{from: end.Add(-time.Duration(n) * step), step: step, n: n, now: now}
}

// begin is when the i-th column begins.
func (p period) begin(i int) time.Time { return p.from.Add(time.Duration(i) * p.step) }

// column is the one that a time is in; it may lie outside.
func (p period) column(at time.Time) int {
	d := at.Sub(p.from)
	if d < 0 {
		return -1
	}
	return int(d / p.step)
}

// curve is how a number went: a value for each column, NaN where it is not known.
type curve struct {
	columns       []float64
	now, min, max float64 // NaN where none is known
}

func newCurve(n int) curve {
	c := curve{columns: make([]float64, n), now: math.NaN(), min: math.NaN(), max: math.NaN()}
	for i := range c.columns {
		c.columns[i] = math.NaN()
	}
	return c
}

// note takes a value that was seen, whatever the column.
func (c *curve) note(v float64) {
	if math.IsNaN(v) {
		return
	}
	if math.IsNaN(c.min) || v < c.min {
		c.min = v
	}
	if math.IsNaN(c.max) || v > c.max {
		c.max = v
	}
}

// raise has the columns from one to another show at least a value.
func (c *curve) raise(from, to int, v float64) {
	for i := max(from, 0); i <= min(to, len(c.columns)-1); i++ {
		if math.IsNaN(c.columns[i]) || c.columns[i] < v {
			c.columns[i] = v
		}
	}
}

// settle takes the columns' own values for what was seen, and the last known for now.
func (c *curve) settle() {
	for _, v := range c.columns {
		if !math.IsNaN(v) {
			c.note(v)
			c.now = v
		}
	}
}

// measure is a number that the port or the containers have in each second.
type measure struct {
	name string
	text func(v float64) string
	of   func(x *session.Second) (v float64, known bool)
	// passing is true of what belongs to its own second alone; the others stay until
	// another one comes.
	passing bool
}

// curves are how numbers went in a period, by the entries of a past. A column shows the
// highest in it.
func curves(past *session.Ring[session.Second], p period, numbers []measure) []curve {
	all := make([]curve, len(numbers))
	for i := range all {
		all[i] = newCurve(p.n)
	}
	first := past.End()
	for first > past.First() {
		first--
		if past.At(first).At.Before(p.from) {
			break // it holds at the period's begin
		}
	}
	for place := first; place < past.End(); place++ {
		x := past.At(place)
		until := p.now
		if place+1 < past.End() {
			until = past.At(place + 1).At.Add(-1)
		}
		from, to := p.column(x.At), p.column(until)
		for i := range numbers {
			v, known := numbers[i].of(x)
			if !known {
				continue
			}
			c := &all[i]
			switch {
			case !numbers[i].passing:
				c.raise(from, to, v)
			case from >= 0:
				c.raise(from, from, v)
				fallthrough
			default:
				c.raise(from, to, 0)
			}
			if to < 0 {
				continue
			}
			if !numbers[i].passing {
				c.note(v)
				continue
			}
			if from >= 0 {
				c.note(v)
			}
			if until.Sub(x.At) > time.Second {
				c.note(0)
			}
		}
	}
	for i := range all {
		all[i].now = nowOf(past, p.now, &numbers[i])
	}
	return all
}

// nowOf is a number's latest value; NaN where it is not known.
func nowOf(past *session.Ring[session.Second], now time.Time, n *measure) float64 {
	last := past.Last()
	if last == nil {
		return math.NaN()
	}
	v, known := n.of(last)
	if !known {
		return math.NaN()
	}
	if n.passing && now.Sub(last.At) >= 2*time.Second {
		return 0
	}
	return v
}
