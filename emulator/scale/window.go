package scale

import "time"

// window keeps what was observed in buckets of one length, as many as the longest
// average needs. Buckets count from the first observation on.
type window struct {
	granularity time.Duration
	buckets     []float64
	epoch       time.Time // of bucket 0; zero where nothing was observed
	first, last int       // written, of those that count
}

func newWindow(length, granularity time.Duration) *window {
	return &window{granularity: granularity, buckets: make([]float64, max(1, int(length/granularity)))}
}

func (w *window) index(at time.Time) int { return int(at.Sub(w.epoch) / w.granularity) }

// add adds to the bucket of that instant. What comes after a gap as long as the window
// begins anew; what lies before the latest bucket is added to that.
func (w *window) add(at time.Time, value float64) {
	if w.epoch.IsZero() || w.index(at)-w.last >= len(w.buckets) {
		clear(w.buckets)
		w.epoch, w.first, w.last = at.Add(-w.granularity/2), 0, 0 // who observes is early or late
	}
	for i := max(w.index(at), w.last); w.last < i; {
		w.last++
		w.buckets[w.last%len(w.buckets)] = 0
	}
	w.buckets[w.last%len(w.buckets)] += value
}

// average is over the buckets of the given length that end at that instant, but for
// those before the first and after the latest observation. False: there is none.
func (w *window) average(at time.Time, length time.Duration) (float64, bool) {
	if w.epoch.IsZero() {
		return 0, false
	}
	now := w.index(at)
	if now-w.last >= len(w.buckets) {
		return 0, false
	}
	from := max(w.first, now-max(1, int(length/w.granularity))+1)
	if from > w.last {
		return 0, true
	}
	sum := 0.0
	for i := from; i <= w.last; i++ {
		sum += w.buckets[i%len(w.buckets)]
	}
	return rounded(sum / float64(w.last-from+1)), true
}
