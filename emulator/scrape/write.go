package scrape

import (
	"io"
	"maps"
	"slices"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/proto"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// ContentType is that of what Write writes.
const ContentType = string(expfmt.FmtText)

// Write gives families in the text form.
func Write(w io.Writer, families []event.Family) error {
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(w, familyOf(f)); err != nil {
			return err
		}
	}
	return nil
}

func familyOf(f event.Family) *dto.MetricFamily {
	family := &dto.MetricFamily{Name: &f.Name, Type: writtenType(f.Type).Enum()}
	if f.Help != "" {
		family.Help = &f.Help
	}
	for _, s := range f.Series {
		metric := metricOf(f.Type, s)
		for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
			metric.Label = append(metric.Label, &dto.LabelPair{Name: proto.String(name), Value: proto.String(s.Labels[name])})
		}
		family.Metric = append(family.Metric, metric)
	}
	return family
}

func writtenType(t event.MetricType) dto.MetricType {
	switch t {
	case event.Counter:
		return dto.MetricType_COUNTER
	case event.Gauge:
		return dto.MetricType_GAUGE
	case event.Histogram:
		return dto.MetricType_HISTOGRAM
	case event.Summary:
		return dto.MetricType_SUMMARY
	}
	return dto.MetricType_UNTYPED
}

func metricOf(t event.MetricType, s event.Series) *dto.Metric {
	value := proto.Float64(float64(s.Value))
	switch t {
	case event.Counter:
		return &dto.Metric{Counter: &dto.Counter{Value: value}}
	case event.Gauge:
		return &dto.Metric{Gauge: &dto.Gauge{Value: value}}
	case event.Histogram:
		h := &dto.Histogram{SampleCount: proto.Uint64(uint64(s.Count)), SampleSum: proto.Float64(float64(s.Sum))}
		for _, b := range s.Buckets {
			h.Bucket = append(h.Bucket, &dto.Bucket{UpperBound: proto.Float64(float64(b.UpTo)), CumulativeCount: proto.Uint64(uint64(b.Count))})
		}
		return &dto.Metric{Histogram: h}
	case event.Summary:
		summary := &dto.Summary{SampleCount: proto.Uint64(uint64(s.Count)), SampleSum: proto.Float64(float64(s.Sum))}
		for _, q := range s.Quantiles {
			summary.Quantile = append(summary.Quantile, &dto.Quantile{Quantile: proto.Float64(float64(q.Share)), Value: proto.Float64(float64(q.Value))})
		}
		return &dto.Metric{Summary: summary}
	}
	return &dto.Metric{Untyped: &dto.Untyped{Value: value}}
}
