package main

import (
	"math"
	"slices"
	"time"
)

// percentile is the smallest value that at least so many percent do not exceed
// (nearest rank); 0 of nothing. It sorts the values.
func percentile(values []time.Duration, percent float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	rank := int(math.Ceil(percent / 100 * float64(len(values))))
	return values[max(rank, 1)-1]
}

// median is the middle one, or the mean of the two in the middle; 0 of nothing.
func median[T ~int64 | ~float64](values []T) T {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// medians takes the median of each measure by itself.
func medians(samples []sample) sample {
	return sample{
		rate: median(each(samples, func(s sample) float64 { return s.rate })),
		p50:  median(each(samples, func(s sample) time.Duration { return s.p50 })),
		p99:  median(each(samples, func(s sample) time.Duration { return s.p99 })),
		cpu:  median(each(samples, func(s sample) time.Duration { return s.cpu })),
		peak: median(each(samples, func(s sample) int64 { return s.peak })),
	}
}

func each[T any](samples []sample, of func(sample) T) []T {
	values := make([]T, 0, len(samples))
	for _, s := range samples {
		values = append(values, of(s))
	}
	return values
}
