package proxy

import (
	"math/bits"
	"slices"
	"sync/atomic"
	"time"
)

// meter counts a model's requests. Counting takes no lock, allocates only at a
// status' first time, and looks nothing up by name.
type meter struct {
	requests, app byStatus // as queue-proxy counts them

	took   spread // of every request, what it waited included
	ended  atomic.Uint64
	failed atomic.Uint64
}

// byStatus has a tally for every status from 100 to 999.
type byStatus [900]atomic.Pointer[tally]

func (b *byStatus) observe(status int, took time.Duration) {
	slot := &b[min(max(status, 100), 999)-100]
	t := slot.Load()
	if t == nil {
		slot.CompareAndSwap(nil, new(tally))
		t = slot.Load()
	}
	t.observe(took)
}

// each calls see with every status that was counted.
func (b *byStatus) each(see func(status int, t *tally)) {
	for i := range b {
		if t := b[i].Load(); t != nil {
			see(i+100, t)
		}
	}
}

// tally counts requests by latency, in whole milliseconds as queue-proxy does.
type tally struct {
	buckets [len(latencyBounds) + 1]atomic.Uint64
	sum     atomic.Int64
}

// latencyBounds are queue-proxy's, in milliseconds.
var latencyBounds = [...]int64{
	5, 10, 20, 40, 60, 80, 100, 150, 200, 250, 300, 350, 400, 450, 500, 600, 700, 800, 900,
	1000, 2000, 5000, 10000, 20000, 50000, 100000,
}

func (t *tally) observe(took time.Duration) {
	ms := took.Milliseconds()
	i, exact := slices.BinarySearch(latencyBounds[:], ms)
	if exact {
		i++ // a bound is not in its own bucket there
	}
	t.buckets[i].Add(1)
	t.sum.Add(ms)
}

// spread counts durations finely enough to tell percentiles within 6%, from a
// microsecond to half an hour.
type spread [spreadSize]atomic.Uint64

const (
	spreadSteps = 16 // to the next power of two
	spreadSize  = 28 * spreadSteps
	spreadMost  = 1<<31 - 1 // microseconds
)

func (s *spread) observe(took time.Duration) { s[spreadIndex(took)].Add(1) }

func spreadIndex(took time.Duration) int {
	us := min(uint64(max(took, 0)/time.Microsecond), spreadMost)
	if us < spreadSteps {
		return int(us)
	}
	power := bits.Len64(us) - bits.Len64(spreadSteps)
	return power*spreadSteps + int(us>>power)
}

// spreadValue is the longest duration that is counted at the index.
func spreadValue(i int) time.Duration {
	power := max(i/spreadSteps-1, 0)
	return time.Duration((i-power*spreadSteps+1)<<power) * time.Microsecond
}

// counts is a spread at one instant.
type counts [spreadSize]uint64

// since returns what was counted after before, which becomes the counts of now.
func (s *spread) since(before *counts) (added counts, total uint64) {
	for i := range s {
		now := s[i].Load()
		added[i] = now - before[i]
		total += added[i]
		before[i] = now
	}
	return added, total
}

// total is how many durations were counted.
func (c *counts) total() (total uint64) {
	for _, n := range c {
		total += n
	}
	return total
}

// percentile is what the given share of the counted durations did not exceed.
func (c *counts) percentile(share float64, total uint64) time.Duration {
	rest := uint64(share*float64(total-1)) + 1
	for i, n := range c {
		if n >= rest {
			return spreadValue(i)
		}
		rest -= n
	}
	return 0
}
