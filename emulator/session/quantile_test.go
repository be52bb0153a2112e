package session_test

import (
	"math"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/session"
)

func TestAQuantileLiesWithinItsBucketAsPrometheusTakesIt(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		name           string
		share          float64
		bounds, counts []float64
		want           float64
	}{
		// 10 up to 1, 10 more up to 2: the 15th of 20 is half way from 1 to 2.
		{"half way in the second", 0.75, []float64{1, 2, inf}, []float64{10, 20, 20}, 1.5},
		// The 5th of 10 in the first bucket, which begins at zero: half of its bound.
		{"half way in the first", 0.5, []float64{4, inf}, []float64{10, 10}, 2},
		// The 95th of 100: 90 are up to 0.1, 8 more up to 0.5; 5/8 of the way.
		{"p95", 0.95, []float64{0.1, 0.5, 1, inf}, []float64{90, 98, 100, 100}, 0.1 + 0.4*5/8},
		// The 99th of 100 is above the last finite bound.
		{"above the last bound", 0.99, []float64{0.1, 1, inf}, []float64{50, 98, 100}, 1},
		{"a first bound that is not above zero", 0.1, []float64{-1, 1, inf}, []float64{5, 10, 10}, -1},
		// Ranks at a bucket's own count are at its bound.
		{"at a bound", 0.5, []float64{1, 2, inf}, []float64{5, 10, 10}, 1},
		// Empty buckets are passed over: the 6th of 10 lies in the third.
		{"empty buckets", 0.6, []float64{1, 2, 3, inf}, []float64{5, 5, 10, 10}, 2.2},
		// Counts that fall are taken as the ones before: 10, 10, 12.
		{"counts that fall", 0.5, []float64{1, 2, inf}, []float64{10, 8, 12}, 0.6},
		{"nothing observed", 0.5, []float64{1, inf}, []float64{0, 0}, nan},
		{"no bound up to infinity", 0.5, []float64{1, 2}, []float64{1, 2}, nan},
		{"one bucket", 0.5, []float64{inf}, []float64{1}, nan},
		{"below zero", -1, []float64{1, inf}, []float64{1, 1}, math.Inf(-1)},
		{"above one", 2, []float64{1, inf}, []float64{1, 1}, inf},
		{"no share", nan, []float64{1, inf}, []float64{1, 1}, nan},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := session.Quantile(c.share, c.bounds, c.counts)
			if math.Abs(got-c.want) > 1e-12 || math.IsNaN(got) != math.IsNaN(c.want) {
				t.Errorf("it is %v, want %v", got, c.want)
			}
		})
	}
}
