package tui

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// served are events of a busy model: for so many seconds its numbers rise and fall, with
// a burst of errors, and then it rests.
func served(count int) []event.Event {
	events := iris()
	at := events[len(events)-1].Time
	var errors, requests uint64
	for i := range count {
		at = at.Add(time.Second)
		wave := 0.5 + 0.5*math.Sin(float64(i)/20)
		t := event.Traffic{Rate: math.Round(200 * wave), InFlight: int(8 * wave), Queued: int(5*wave) / 4}
		if i%100 > 90 {
			errors += 3
		}
		if i > count-20 {
			t.Rate, t.InFlight, t.Queued = 0, 0, 0
		}
		requests += uint64(t.Rate)
		t.P50, t.P95, t.P99 = time.Duration(4e6+6e6*wave), time.Duration(12e6+14e6*wave), time.Duration(20e6+70e6*wave*wave)
		t.Errors, t.Requests = errors, requests
		events = append(
			events,
			event.Event{Time: at, Model: "iris-1", Revision: 1, Fact: t},
			event.Event{Time: at, Model: "iris-1", Revision: 1, Fact: event.Usage{Pod: "abcde", CPU: 0.02 + 0.9*wave, Memory: int64(100<<20 + i*200<<10), MemoryLimit: 512 << 20}},
		)
	}
	return events
}

// scrapes are samples of a pod, one every five seconds, with a series of each type.
func scrapes(pod string, begin time.Time, count int) []event.Event {
	var events []event.Event
	inf := event.Number(math.Inf(1))
	var b [4]float64
	sum := 0.0
	for i := range count {
		wave := 0.5 + 0.5*math.Sin(float64(i)/8)
		b[0], b[1], b[2], b[3] = b[0]+100*wave, b[1]+150*wave, b[2]+155*wave, b[3]+156*wave
		sum += 3 * wave
		n := func(v float64) event.Number { return event.Number(math.Round(v)) }
		at := begin.Add(time.Duration(5*i) * time.Second)
		events = append(events, event.Event{Time: at, Model: "iris-1", Revision: 1, Fact: event.Scraped{
			Pod: pod, Source: event.MetricsScraped, At: at, Series: 14,
			Families: []event.Family{
				{Name: "batch_size", Help: "Instances in the last request.", Type: event.Gauge, Series: []event.Series{{Value: n(10 * wave)}}},
				{Name: "gc_pause_seconds", Help: "Pauses of the collector.", Type: event.Summary, Series: []event.Series{{
					Count: event.Number(i), Sum: event.Number(sum),
					Quantiles: []event.Quantile{{Share: 0.5, Value: event.Number(0.0002 * (1 + wave))}, {Share: 0.99, Value: event.Number(0.001 * (1 + wave))}},
				}}},
				{Name: "prediction_seconds", Help: "How long a prediction takes, the model alone.", Type: event.Histogram, Series: []event.Series{{
					Count: n(b[3]), Sum: event.Number(sum),
					Buckets: []event.Bucket{{UpTo: 0.005, Count: n(b[0])}, {UpTo: 0.025, Count: n(b[1])}, {UpTo: 0.1, Count: n(b[2])}, {UpTo: inf, Count: n(b[3])}},
				}}},
				{Name: "predictions_total", Help: "Predictions by their class.", Type: event.Counter, Series: []event.Series{
					{Labels: map[string]string{"class": "setosa"}, Value: n(b[0])},
					{Labels: map[string]string{"class": "virginica"}, Value: n(b[1] - b[0])},
				}},
				{Name: "process_cpu_seconds_total", Help: "Total user and system CPU time spent in seconds.", Type: event.Counter, Series: []event.Series{{Value: event.Number(sum)}}},
				{Name: "process_resident_memory_bytes", Help: "Resident memory size in bytes.", Type: event.Gauge, Series: []event.Series{{Value: n(100e6 + 1e5*float64(i))}}},
			},
		}})
	}
	return events
}

// busy are a model's numbers and metrics for a quarter of an hour.
func busy() []event.Event {
	events := served(900)
	return merged(events, scrapes("abcde", events[9].Time, 180))
}

// merged puts events in the order of their times.
func merged(lists ...[]event.Event) []event.Event {
	var all []event.Event
	for {
		next := -1
		for i, list := range lists {
			if len(list) > 0 && (next < 0 || list[0].Time.Before(lists[next][0].Time)) {
				next = i
			}
		}
		if next < 0 {
			return all
		}
		e := lists[next][0]
		e.Seq = uint64(len(all) + 1)
		all, lists[next] = append(all, e), lists[next][1:]
	}
}

func TestLook(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {120, 40}, {200, 60}} {
		d := drive(t, &hands{}, size[0], size[1], busy())
		d.keys("4")
		fmt.Println(d.view())
		d.keys("enter")
		fmt.Println(d.view())
		d.keys("m", "j", "j")
		fmt.Println(d.view())
	}
}
