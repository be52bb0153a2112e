package tui

import (
	"math"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// curve is how the row went: a counter's rate, a histogram's p95, a summary's highest
// quantile, any other value as it was.
func (r *series) curve(p period) curve {
	switch r.family.Type {
	case event.Counter:
		return r.rates(p)
	case event.Histogram:
		return r.quantiles(p)[1]
	case event.Summary:
		return r.valuesAt(p, r.width()-1)
	}
	return r.valuesAt(p, 0)
}

// knownPart is the part of a column of which a track knows something.
func knownPart(x *session.Track, p period, i int) (from, to time.Time, some bool) {
	from, to = p.begin(i), p.begin(i+1)
	if begin := x.From(); from.Before(begin) {
		from = begin
	}
	if end := knownUntil(x, p.now); to.After(end) {
		to = end
	}
	return from, to, to.After(from)
}

// known calls do with each column of each track, as far as the track knows something of it.
func (r *series) known(p period, do func(x *session.Track, i int, from, to time.Time)) {
	for _, x := range r.tracks {
		if !r.like(x) {
			continue
		}
		for i := range p.n {
			if from, to, some := knownPart(x, p, i); some {
				do(x, i, from, to)
			}
		}
	}
}

// rates are a counter's, column by column.
func (r *series) rates(p period) curve {
	c := newCurve(p.n)
	var sum [1]float64
	r.known(p, func(x *session.Track, i int, from, to time.Time) {
		sum[0] = 0
		x.Increase(sum[:], from, to)
		if math.IsNaN(c.columns[i]) {
			c.columns[i] = 0
		}
		c.columns[i] += sum[0] / to.Sub(from).Seconds()
	})
	c.settle()
	return c
}

// valuesAt are the values of that place in a point, at each column's end.
func (r *series) valuesAt(p period, place int) curve {
	c := newCurve(p.n)
	for _, x := range r.tracks {
		if !r.like(x) || place < 0 {
			continue
		}
		end := p.now // it is what it was last
		if !x.Gone.IsZero() {
			end = x.Gone
		}
		for i := range p.n {
			at := p.begin(i + 1).Add(-1)
			if at.After(end) {
				if !p.begin(i).Before(end) {
					break
				}
				at = end
			}
			values := x.At(at)
			if values == nil || math.IsNaN(values[place]) {
				continue
			}
			switch {
			case math.IsNaN(c.columns[i]):
				c.columns[i] = values[place]
			case r.unit == asInstant:
				c.columns[i] = max(c.columns[i], values[place])
			default:
				c.columns[i] += values[place]
			}
		}
	}
	c.settle()
	return c
}

// observed is by how much a histogram's values grew in each column; nil where nothing is
// known.
func (r *series) observed(p period) [][]float64 {
	all := make([][]float64, p.n)
	r.known(p, func(x *session.Track, i int, from, to time.Time) {
		if all[i] == nil {
			all[i] = make([]float64, x.Width())
		}
		x.Increase(all[i], from, to)
	})
	return all
}

// smooth is over how long percentiles of the past are taken at least: those of a few
// observations would say nothing.
const smooth = 30 * time.Second

// quantiles are a histogram's p50, p95 and p99 of what was observed in each column, and
// before it where the columns are short.
func (r *series) quantiles(p period) [3]curve {
	var all [3]curve
	for k := range all {
		all[k] = newCurve(p.n)
	}
	observed := r.observed(p)
	before := int((smooth - 1) / p.step)
	sum := make([]float64, r.width())
	for i, grown := range observed {
		if grown == nil {
			continue
		}
		clear(sum)
		for _, part := range observed[max(i-before, 0) : i+1] {
			for j := range part {
				sum[j] += part[j]
			}
		}
		if sum[session.CountAt] < 1e-9 {
			continue
		}
		for k := range all {
			all[k].columns[i] = session.Quantile(shownShares[k].share, r.bounds(), sum[session.FirstAt:])
		}
	}
	for k := range all {
		all[k].settle()
	}
	return all
}
