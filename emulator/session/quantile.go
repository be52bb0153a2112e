package session

import (
	"math"
	"sort"
)

// Quantile is the value that a share of a histogram's observations does not exceed, by
// the rules of Prometheus' histogram_quantile: within a bucket observations are taken to
// lie evenly, the lowest begins at zero where its bound is above it, and what lies above
// the last finite bound is that bound. counts are of observations up to each bound, the
// last bound is +Inf. It is NaN where nothing was observed.
func Quantile(share float64, bounds, counts []float64) float64 {
	n := len(bounds)
	switch {
	case n < 2 || len(counts) != n || !math.IsInf(bounds[n-1], 1) || math.IsNaN(share):
		return math.NaN()
	case share < 0:
		return math.Inf(-1)
	case share > 1:
		return math.Inf(1)
	}
	counts = growing(counts)
	all := counts[n-1]
	if !(all > 0) {
		return math.NaN()
	}
	rank := share * all
	i := sort.Search(n-1, func(i int) bool { return counts[i] >= rank })
	switch {
	case i == n-1:
		return bounds[n-2]
	case i == 0 && bounds[0] <= 0:
		return bounds[0]
	}
	begin, below := 0.0, 0.0
	if i > 0 {
		begin, below = bounds[i-1], counts[i-1]
	}
	within := counts[i] - below
	if within == 0 {
		return begin
	}
	return begin + (bounds[i]-begin)*(rank-below)/within
}

// growing are counts none of which is less than the one before: a scrape amid
// observations may tell them so.
func growing(counts []float64) []float64 {
	for i := 1; i < len(counts); i++ {
		if counts[i] < counts[i-1] {
			fixed := append([]float64(nil), counts...)
			for j := i; j < len(fixed); j++ {
				fixed[j] = max(fixed[j], fixed[j-1])
			}
			return fixed
		}
	}
	return counts
}
