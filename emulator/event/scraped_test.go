package event_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

func TestANumberOfAMetricIsWhateverPrometheusHas(t *testing.T) {
	for value, want := range map[event.Number]string{
		0: `0`, 1: `1`, 0.1: `0.1`, 1e300: `1e+300`, event.Number(math.Inf(1)): `"+Inf"`, event.Number(math.Inf(-1)): `"-Inf"`,
	} {
		data, err := json.Marshal(value)
		if err != nil || string(data) != want {
			t.Errorf("%v is %s, %v; want %s", value, data, err, want)
		}
		var back event.Number
		if err := json.Unmarshal(data, &back); err != nil || back != value {
			t.Errorf("%s came back as %v, %v", data, back, err)
		}
	}
	data, err := json.Marshal(event.Number(math.NaN()))
	if err != nil || string(data) != `"NaN"` {
		t.Errorf("NaN is %s, %v", data, err)
	}
	var back event.Number
	if err := json.Unmarshal(data, &back); err != nil || !math.IsNaN(float64(back)) {
		t.Errorf("NaN came back as %v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`"much"`), &back); err == nil {
		t.Error("a word was taken for a number")
	}
}

func scraped(events []event.Event) []string {
	var all []string
	for _, e := range events {
		if f, is := e.Fact.(event.Scraped); is {
			all = append(all, fmt.Sprintf("%s %s %d", e.Model, f.Of(), f.Series))
		}
	}
	return all
}

func TestHistoryKeepsTheLatestMetricsOfEachSource(t *testing.T) {
	stream := event.NewStream()
	batch := map[string]string{"job": "batch", "instance": "a"}
	for i := range 3 {
		stream.Publish("m", 1, event.Scraped{Source: event.MetricsScraped, Pod: "p", Series: i})
		stream.Publish("m", 1, event.Scraped{Source: event.MetricsScraped, Pod: "q", Series: i})
		stream.Publish("m", 1, event.Scraped{Source: event.MetricsPushed, Pod: fmt.Sprint(i), Grouping: batch, Series: i})
		stream.Publish("m", 1, event.Scraped{Source: event.MetricsPushed, Grouping: map[string]string{"job": "other"}, Series: i})
		stream.Publish("n", 1, event.Scraped{Source: event.MetricsScraped, Pod: "p", Series: i})
	}
	stream.Publish("m", 1, event.PodChanged{Pod: "q", Phase: event.PhaseStopped})
	stream.Publish("m", 1, event.Scraped{Source: event.MetricsPushed, Grouping: map[string]string{"job": "other"}, Gone: true})
	want := []string{`m scrape "p" 2`, `m push instance="a" job="batch" 2`, `n scrape "p" 2`}
	if got := scraped(stream.History()); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("kept are %q, want %q", got, want)
	}
}

func TestHistoryKeepsSomeSourcesOfMetricsOnly(t *testing.T) {
	for series, most := range map[int]int{1: 300, 2_000: 20} {
		stream := event.NewStream()
		stream.Publish("m", 1, event.Environment{Port: 1})
		for i := range 1_000 {
			stream.Publish("m", 1, event.Scraped{Source: event.MetricsPushed, Grouping: map[string]string{"job": fmt.Sprint(i)}, Series: series})
		}
		kept := stream.History()
		got := scraped(kept)
		if want := fmt.Sprintf(`m push job="999" %d`, series); len(got) > most || len(got) < most/2 || got[len(got)-1] != want {
			t.Errorf("of %d series each %d are kept, the last is %s", series, len(got), got[len(got)-1])
		}
		if _, is := kept[0].Fact.(event.Environment); !is {
			t.Errorf("they pushed out %#v", kept[0].Fact)
		}
	}
}

func TestHistoryKeepsTheEnvironmentOfEachRevision(t *testing.T) {
	stream := event.NewStream()
	for i := range 2_000 {
		stream.Publish("m", 1+i/1_000, event.Environment{Port: i})
	}
	var ports []int
	for _, e := range stream.History() {
		ports = append(ports, e.Fact.(event.Environment).Port)
	}
	if fmt.Sprint(ports) != "[999 1999]" {
		t.Errorf("kept are those of port %d", ports)
	}
}

// A push that is deleted must be known by everybody, however slow.
func TestTheEndOfAPushIsNotDropped(t *testing.T) {
	stream := event.NewStream()
	sub := stream.Subscribe()
	for range 10_000 {
		stream.Publish("m", 1, event.Scraped{Source: event.MetricsPushed})
	}
	stream.Publish("m", 1, event.Scraped{Source: event.MetricsPushed, Gone: true})
	events, err := sub.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dropped := events[len(events)-1].Fact.(event.Dropped).Count
	if gone := events[len(events)-2].Fact.(event.Scraped).Gone; !gone || len(events)-2+dropped != 10_000 {
		t.Errorf("%d events, %d dropped, gone %v", len(events), dropped, gone)
	}
}

func TestSamplesAreComparedByWhatTheySay(t *testing.T) {
	nan := event.Number(math.NaN())
	sample := func() event.Scraped {
		return event.Scraped{Source: event.MetricsScraped, Pod: "p", Series: 3, Families: []event.Family{
			{Name: "a", Type: event.Gauge, Series: []event.Series{{Labels: map[string]string{"x": "y"}, Value: nan}}},
			{Name: "h", Type: event.Histogram, Series: []event.Series{{Count: 2, Sum: 3, Buckets: []event.Bucket{{UpTo: 1, Count: 2}}}}},
			{Name: "s", Type: event.Summary, Series: []event.Series{{Count: 2, Sum: 3, Quantiles: []event.Quantile{{Share: 0.5, Value: nan}}}}},
		}}
	}
	later := sample()
	later.At, later.Took, later.Bytes = later.At.Add(5), 7, 8
	if !sample().Says(later) {
		t.Error("the same metrics at another time are told apart")
	}
	for name, change := range map[string]func(s *event.Scraped){
		"a value":      func(s *event.Scraped) { s.Families[0].Series[0].Value = 1 },
		"a label":      func(s *event.Scraped) { s.Families[0].Series[0].Labels["x"] = "z" },
		"a help":       func(s *event.Scraped) { s.Families[0].Help = "h" },
		"a bucket":     func(s *event.Scraped) { s.Families[1].Series[0].Buckets[0].Count = 1 },
		"a sum":        func(s *event.Scraped) { s.Families[1].Series[0].Sum = 4 },
		"a quantile":   func(s *event.Scraped) { s.Families[2].Series[0].Quantiles[0].Value = 1 },
		"a family":     func(s *event.Scraped) { s.Families = s.Families[:2] },
		"an error":     func(s *event.Scraped) { s.Error = "e" },
		"what was cut": func(s *event.Scraped) { s.Cut = "c" },
		"the pod":      func(s *event.Scraped) { s.Pod = "q" },
	} {
		changed := sample()
		change(&changed)
		if sample().Says(changed) {
			t.Errorf("%s differs, and is taken for the same", name)
		}
	}
}
