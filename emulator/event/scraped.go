package event

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// MetricsSource tells how a model's own metrics came.
type MetricsSource string

// The sources of metrics.
const (
	MetricsScraped MetricsSource = "scrape" // GET /metrics of a replica
	MetricsPushed  MetricsSource = "push"   // to the session's Pushgateway-compatible endpoint
)

// Scraped is the latest of a model's own metrics from one source, told where it differs
// from the last. It is whole: what is not in it is not there any more.
type Scraped struct {
	// Pod is the replica; empty where a push does not tell.
	Pod    string        `json:"pod,omitempty"`
	Source MetricsSource `json:"source"`
	// Grouping are the labels that a push came under, its job among them. A later push
	// of the same ones is in its place.
	Grouping map[string]string `json:"grouping,omitempty"`
	At       time.Time         `json:"at"`
	Took     time.Duration     `json:"took_ns,omitempty"` // the scrape
	Bytes    int64             `json:"bytes,omitempty"`   // what was read

	Families []Family `json:"families,omitempty"`
	// Series counts those in Families, a histogram's buckets and a summary's quantiles
	// each as one, and its sum and count as well, as Prometheus does. Cut says what was
	// left out and why, as a sentence; empty where nothing was.
	Series int    `json:"series"`
	Cut    string `json:"cut,omitempty"`
	// Error is why there is nothing, with what to do next. What was told before it may
	// still be of interest.
	Error string `json:"error,omitempty"`
	// Gone tells that what was pushed was deleted.
	Gone bool `json:"gone,omitempty"`
}

// Of names what a sample is of: it takes the place of the last one with the same name.
func (s Scraped) Of() string {
	var name strings.Builder
	fmt.Fprintf(&name, "%s %q", s.Source, s.Pod)
	if s.Source == MetricsPushed { // whoever pushes again is the same source
		name.Reset()
		name.WriteString(string(s.Source))
	}
	for _, label := range slices.Sorted(maps.Keys(s.Grouping)) {
		fmt.Fprintf(&name, " %s=%q", label, s.Grouping[label])
	}
	return name.String()
}

// MetricType is what a family's values are.
type MetricType string

// The types of a family.
const (
	Counter   MetricType = "counter"
	Gauge     MetricType = "gauge"
	Histogram MetricType = "histogram"
	Summary   MetricType = "summary"
	Untyped   MetricType = "untyped"
)

// Family is one metric, with its series.
type Family struct {
	Name   string     `json:"name"`
	Help   string     `json:"help,omitempty"`
	Type   MetricType `json:"type"`
	Unit   string     `json:"unit,omitempty"`
	Series []Series   `json:"series"`
}

// Series is one series of a family, as its labels tell it from the others.
type Series struct {
	Labels map[string]string `json:"labels,omitempty"`
	// Value is the one of a counter, a gauge, or an untyped series.
	Value Number `json:"value,omitempty"`
	// Count and Sum are a histogram's or a summary's; Buckets and Quantiles are theirs,
	// in order. A histogram always has a bucket up to +Inf.
	Count     Number     `json:"count,omitempty"`
	Sum       Number     `json:"sum,omitempty"`
	Buckets   []Bucket   `json:"buckets,omitempty"`
	Quantiles []Quantile `json:"quantiles,omitempty"`
}

// Bucket counts the observations up to its bound, those of the buckets before included.
type Bucket struct {
	UpTo  Number `json:"le"`
	Count Number `json:"count"`
}

// Quantile is a value that a share of the observations, from 0 to 1, does not exceed.
type Quantile struct {
	Share Number `json:"quantile"`
	Value Number `json:"value"`
}

// Number is a float that JSON can carry whatever it is: NaN and the infinities are the
// texts that Prometheus writes.
type Number float64

// MarshalJSON gives a number, or "NaN", "+Inf" or "-Inf".
func (n Number) MarshalJSON() ([]byte, error) {
	switch text := strconv.FormatFloat(float64(n), 'g', -1, 64); text {
	case "NaN", "+Inf", "-Inf":
		return json.Marshal(text)
	default:
		return json.Marshal(float64(n))
	}
}

// UnmarshalJSON reads what MarshalJSON writes.
func (n *Number) UnmarshalJSON(data []byte) error {
	text := strings.Trim(string(data), `"`)
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return fmt.Errorf("%s is no number of a metric: %w", data, err)
	}
	*n = Number(value)
	return nil
}

func (Scraped) kind() string { return "scraped" }
