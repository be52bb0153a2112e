package tui

import (
	"fmt"
	"math"
	"strings"
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

func TestMetricsScreens(t *testing.T) {
	for _, c := range []struct {
		name          string
		width, height int
		keys          []string
	}{
		{"metrics-port-80x24", 80, 24, []string{"4"}},
		{"metrics-port-120x40", 120, 40, []string{"4"}},
		{"metrics-charts-80x24", 80, 24, []string{"4", "enter"}},
		{"metrics-charts-120x40", 120, 40, []string{"4", "z", "-"}},
		{"metrics-charts-200x60", 200, 60, []string{"4", "enter", "+"}},
		{"metrics-own-80x24", 80, 24, []string{"4", "m", "j", "j", "p"}},
		{"metrics-own-120x40", 120, 40, []string{"4", "m", "j", "j", "p", "G", "p"}},
		{"metrics-pinned-120x40", 120, 40, []string{"4", "m", "j", "j", "p", "G", "p", "m", "-"}},
		{"metrics-own-200x60", 200, 60, []string{"4", "m", "/", `"sec`, "enter", "enter", "j"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := drive(t, &hands{}, c.width, c.height, busy())
			d.keys(c.keys...)
			d.golden(c.name)
		})
	}
}

func TestMetricsInLettersThatEveryTerminalHas(t *testing.T) {
	d := drive(t, &hands{}, 120, 40, busy())
	d.screen.theme.glyphs = asciiGlyphs
	d.keys("4")
	d.golden("metrics-ascii-port-120x40")
	d.keys("m", "j", "j", "enter")
	d.golden("metrics-ascii-own-120x40")
	for i, line := range strings.Split(d.view(), "\n") {
		if strings.ContainsFunc(line, func(r rune) bool { return r > 126 }) {
			t.Errorf("line %d is not ASCII: %s", i+1, line)
		}
	}
}

func TestMetricsBeforeAnythingIsMeasured(t *testing.T) {
	d := drive(t, &hands{}, 80, 24, iris())
	d.keys("4")
	d.golden("metrics-port-nothing-80x24")
	d.keys("m")
	d.await("the model has told no metrics yet")
}

func TestAFailedScrapeIsShownWithWhatToDo(t *testing.T) {
	events := append(busy()[:200], scrapes("abcde", busy()[199].Time, 1)...)
	last := events[len(events)-1].Fact.(event.Scraped)
	bad := event.Scraped{Pod: "abcde", Source: event.MetricsScraped, At: last.At, Error: "GET /metrics answered 500: look at the model's log"}
	cut := event.Scraped{Source: event.MetricsPushed, At: last.At, Grouping: map[string]string{"job": "nightly"}, Families: last.Families[:1], Cut: "1,500 series are left out: there are more than 2,000"}
	for _, f := range []event.Fact{bad, cut} {
		events = append(events, event.Event{Time: last.At, Model: "iris-1", Revision: 1, Fact: f})
	}
	d := drive(t, &hands{}, 120, 40, events)
	d.keys("4", "m", "enter")
	view := d.view()
	for _, text := range []string{
		"scraped from abcde: GET /metrics answered 500: look at the model's log; what is shown is of " + last.At.Local().Format(time.TimeOnly),
		"cut: 1,500 series are left out", `pushed {job="nightly"}`, `batch_size{job="nightly"}`,
	} {
		if !strings.Contains(view, text) {
			t.Errorf("it does not show %q:\n%s", text, view)
		}
	}
}

func TestSeriesOfPodsAreSummedOrShownOneByOne(t *testing.T) {
	events := iris(event.PodChanged{Pod: "other", Phase: event.PhaseReady})
	begin := events[len(events)-1].Time
	gauge := func(pod string, v float64) event.Event {
		return event.Event{Time: begin, Model: "iris-1", Fact: event.Scraped{Pod: pod, Source: event.MetricsScraped, At: begin, Families: []event.Family{
			{Name: "batch_size", Type: event.Gauge, Series: []event.Series{{Value: event.Number(v)}}},
		}}}
	}
	d := drive(t, &hands{}, 80, 24, append(events, gauge("abcde", 3), gauge("other", 4)))
	d.keys("4", "m")
	if view := d.view(); !strings.Contains(view, " 7 ") || !strings.Contains(view, "the sum of 2 pods") {
		t.Errorf("no sum of 7:\n%s", view)
	}
	d.keys("s")
	view := d.view()
	for pod, value := range map[string]string{"abcde": " 3 ", "other": " 4 "} {
		if !strings.Contains(view, `batch_size{pod="`+pod+`"}`) || !strings.Contains(view, value) {
			t.Errorf("pod %s has not%s:\n%s", pod, value, view)
		}
	}
	d.send(arrived{{Time: begin, Model: "iris-1", Fact: event.PodChanged{Pod: "other", Phase: event.PhaseStopped}}})
	if view := d.view(); strings.Contains(view, "other\"") {
		t.Errorf("a pod that is gone is still there:\n%s", view)
	}
}

func TestTheCursorStaysOnItsSeries(t *testing.T) {
	d := drive(t, &hands{}, 80, 24, busy())
	d.keys("4", "m", "G")
	d.await("› process_resident_memory_bytes")
	d.keys("/", `"class`, "esc")
	d.await("› process_resident_memory_bytes")
	d.keys("p")
	d.await("›▴process_resident_memory_bytes")
	d.keys("/", `"virginica`, "enter")
	d.await(`› predictions_total{class="virginica"}`)
	d.keys("p", "esc")
	d.await(`›▴predictions_total{class="virginica"}`)
	d.keys("m")
	d.await(`▴predictions_total{cla`)
}

// Whatever a model calls its metrics, a terminal interprets none of it, and every line has
// its width.
func TestHostileMetricsAreShownAndNotInterpreted(t *testing.T) {
	begin := iris()[8].Time
	hostile := "\x1b[2J\x1b]0;title\x07\u202e漢字漢字\xff\xfe\n\r\t\x00" + strings.Repeat("長", 3_000)
	var families []event.Family
	for i, kind := range []event.MetricType{event.Counter, event.Gauge, event.Histogram, event.Summary, event.Untyped, "other"} {
		for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1e308, 1e-308, 1e300} {
			n := event.Number(v)
			families = append(families, event.Family{Name: fmt.Sprint(hostile, i, v), Help: hostile, Type: kind, Unit: hostile, Series: []event.Series{{
				Labels: map[string]string{hostile: hostile}, Value: n, Count: n, Sum: n,
				Buckets: []event.Bucket{{UpTo: n, Count: n}, {UpTo: event.Number(math.Inf(1)), Count: n}}, Quantiles: []event.Quantile{{Share: n, Value: n}},
			}}})
		}
	}
	events := iris()
	for i := range 3 {
		at := begin.Add(time.Duration(5*i) * time.Second)
		events = append(events, event.Event{Time: at, Model: "iris-1", Fact: event.Scraped{Pod: hostile, Source: event.MetricsScraped, At: at, Families: families, Cut: hostile}})
		events = append(events, event.Event{Time: at, Model: "iris-1", Fact: event.Scraped{Source: event.MetricsPushed, Grouping: map[string]string{hostile: hostile}, At: at, Error: hostile}})
	}
	for _, size := range [][2]int{{60, 16}, {80, 24}, {120, 40}, {200, 60}} {
		d := drive(t, &hands{}, size[0], size[1], events)
		d.keys("4", "m")
		for range families {
			raw := d.screen.View()
			for _, bad := range []string{"\x1b[2J", "\x1b]0", "\x07", "\x00", "\r"} {
				if strings.Contains(raw, bad) {
					t.Fatalf("the screen has %q", bad)
				}
			}
			d.view()
			d.keys("p", "j")
		}
		d.keys("m", "enter")
		d.view()
	}
}

func BenchmarkMetrics(b *testing.B) {
	for name, keys := range map[string][]string{"port": {"4"}, "charts": {"4", "enter"}, "own": {"4", "enter", "m", "j", "j"}} {
		b.Run(name, func(b *testing.B) {
			d := drive(&testing.T{}, &hands{}, 200, 60, busy())
			d.keys(keys...)
			p, s := d.screen.panels[metricsPanel].(*metrics), d.screen.scene()
			for i := range b.N {
				s.now = s.now.Add(time.Duration(i%2) * time.Second)
				p.drawn.lines = nil
				p.draw(s, 198, 50)
			}
		})
	}
}
