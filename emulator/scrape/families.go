package scrape

import (
	"math"
	"slices"

	dto "github.com/prometheus/client_model/go"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

func typeOf(t dto.MetricType) event.MetricType {
	switch t {
	case dto.MetricType_COUNTER:
		return event.Counter
	case dto.MetricType_GAUGE:
		return event.Gauge
	case dto.MetricType_SUMMARY:
		return event.Summary
	case dto.MetricType_HISTOGRAM, dto.MetricType_GAUGE_HISTOGRAM:
		return event.Histogram
	}
	return event.Untyped
}

// labelsOf is false for labels that are too long to keep: a part of one would be another
// series.
func labelsOf(metric *dto.Metric) (map[string]string, bool) {
	if len(metric.Label) == 0 {
		return nil, true
	}
	labels, size := map[string]string{}, 0
	for _, l := range metric.Label {
		labels[l.GetName()] = l.GetValue()
		size += len(l.GetName()) + len(l.GetValue())
	}
	return labels, size <= mostText
}

// seriesOf is a metric without its labels, and as how many series it counts.
func seriesOf(t event.MetricType, metric *dto.Metric) (event.Series, int) {
	switch t {
	case event.Counter:
		return event.Series{Value: event.Number(metric.GetCounter().GetValue())}, 1
	case event.Gauge:
		return event.Series{Value: event.Number(metric.GetGauge().GetValue())}, 1
	case event.Histogram:
		return histogramOf(metric.GetHistogram())
	case event.Summary:
		s := event.Series{Count: event.Number(metric.GetSummary().GetSampleCount()), Sum: event.Number(metric.GetSummary().GetSampleSum())}
		for _, q := range metric.GetSummary().GetQuantile() {
			s.Quantiles = append(s.Quantiles, event.Quantile{Share: event.Number(q.GetQuantile()), Value: event.Number(q.GetValue())})
		}
		return s, len(s.Quantiles) + 2
	}
	return event.Series{Value: event.Number(metric.GetUntyped().GetValue())}, 1
}

// histogramOf takes the buckets as they are; of a native histogram without any, those
// that its schema stands for.
func histogramOf(h *dto.Histogram) (event.Series, int) {
	count := event.Number(h.GetSampleCount())
	if f := h.GetSampleCountFloat(); f > 0 {
		count = event.Number(f)
	}
	s := event.Series{Count: count, Sum: event.Number(h.GetSampleSum())}
	for _, b := range h.GetBucket() {
		below := event.Number(b.GetCumulativeCount())
		if f := b.GetCumulativeCountFloat(); f > 0 {
			below = event.Number(f)
		}
		s.Buckets = append(s.Buckets, event.Bucket{UpTo: event.Number(b.GetUpperBound()), Count: below})
	}
	if len(s.Buckets) == 0 {
		s.Buckets = nativeBuckets(h)
	}
	slices.SortStableFunc(s.Buckets, func(a, b event.Bucket) int { return compare(a.UpTo, b.UpTo) })
	if n := len(s.Buckets); n == 0 || !math.IsInf(float64(s.Buckets[n-1].UpTo), 1) {
		s.Buckets = append(s.Buckets, event.Bucket{UpTo: event.Number(math.Inf(1)), Count: count})
	}
	return s, len(s.Buckets) + 2
}

func compare(a, b event.Number) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// nativeBuckets are the populated buckets of a native histogram of integers, lowest
// first: negative ones, the one around zero, positive ones. Bucket i of schema s ends at
// 2^(i*2^-s), as Prometheus' own definition has it.
func nativeBuckets(h *dto.Histogram) []event.Bucket {
	positive := spread(h.GetPositiveSpan(), h.GetPositiveDelta())
	negative := spread(h.GetNegativeSpan(), h.GetNegativeDelta())
	bound := func(index int) float64 { return math.Exp2(float64(index) * math.Exp2(-float64(h.GetSchema()))) }
	var buckets []event.Bucket
	var below event.Number
	for _, b := range slices.Backward(negative) {
		below += b.count
		buckets = append(buckets, event.Bucket{UpTo: event.Number(-bound(b.index - 1)), Count: below})
	}
	if zero := event.Number(h.GetZeroCount()); zero > 0 {
		below += zero
		buckets = append(buckets, event.Bucket{UpTo: event.Number(h.GetZeroThreshold()), Count: below})
	}
	for _, b := range positive {
		below += b.count
		buckets = append(buckets, event.Bucket{UpTo: event.Number(bound(b.index)), Count: below})
	}
	return buckets
}

type nativeBucket struct {
	index int
	count event.Number
}

// spread gives each bucket of the spans its count; a delta is to the bucket before. Spans
// that claim more buckets than there are deltas end with those.
func spread(spans []*dto.BucketSpan, deltas []int64) (buckets []nativeBucket) {
	index, count := 0, int64(0)
	for _, span := range spans {
		index += int(span.GetOffset())
		for range span.GetLength() {
			if len(buckets) == len(deltas) {
				return buckets
			}
			count += deltas[len(buckets)]
			buckets = append(buckets, nativeBucket{index, event.Number(count)})
			index++
		}
	}
	return buckets
}
