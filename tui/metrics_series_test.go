package tui

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/muesli/termenv"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

// pods are a scene with a model of which several pods are scraped.
type pods struct {
	*testing.T
	state *session.State
	noon  time.Time
}

func newPods(t *testing.T) *pods {
	p := &pods{t, &session.State{}, time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)}
	p.state.Remember()
	p.state.Apply(event.Event{Fact: event.Session{}})
	p.state.Apply(event.Event{Model: "m", Fact: event.Declared{}})
	return p
}

// says has a pod say something, so many seconds after noon.
func (p *pods) says(pod string, second int, f event.Family) {
	at := p.noon.Add(time.Duration(second) * time.Second)
	p.state.Apply(event.Event{Time: at, Model: "m", Fact: event.Scraped{Pod: pod, Source: event.MetricsScraped, At: at, Families: []event.Family{f}}})
}

func (p *pods) stops(pod string, second int) {
	p.state.Apply(event.Event{Time: p.noon.Add(time.Duration(second) * time.Second), Model: "m", Fact: event.PodChanged{Pod: pod, Phase: event.PhaseStopped}})
}

func (p *pods) scene(second int) *scene {
	return &scene{theme: newTheme(termenv.Ascii, false), state: p.state, model: p.state.Models[0], now: p.noon.Add(time.Duration(second) * time.Second)}
}

// only is the one row that there is.
func (p *pods) only(second int) (*scene, *series) {
	p.Helper()
	s := p.scene(second)
	all := seriesRows(s, false)
	if len(all) != 1 {
		p.Fatalf("there are %d rows", len(all))
	}
	return s, all[0]
}

func total(v float64) event.Family {
	return event.Family{Name: "n_total", Type: event.Counter, Series: []event.Series{{Value: event.Number(v)}}}
}

func gaugeAt(v float64) event.Family {
	return event.Family{Name: "level", Type: event.Gauge, Series: []event.Series{{Value: event.Number(v)}}}
}

// times is a histogram with buckets up to 1, 2 and without a bound.
func times(one, two, all float64) event.Family {
	bucket := func(upTo, n float64) event.Bucket {
		return event.Bucket{UpTo: event.Number(upTo), Count: event.Number(n)}
	}
	return event.Family{Name: "t_seconds", Type: event.Histogram, Series: []event.Series{{
		Count: event.Number(all), Buckets: []event.Bucket{bucket(1, one), bucket(2, two), bucket(math.Inf(1), all)},
	}}}
}

func rounded(values []float64) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = fmt.Sprintf("%.3g", v)
	}
	return strings.Join(out, " ")
}

func TestACounterIsShownAsItsRate(t *testing.T) {
	p := newPods(t)
	p.says("a", 0, total(100))
	if s, r := p.only(0); r.value(s) != "100" {
		t.Errorf("after one sample it is %s", r.value(s))
	}
	for i, v := range []float64{110, 130, 160} {
		p.says("a", 5*(i+1), total(v))
	}
	// 60 in the last fifteen seconds.
	s, r := p.only(15)
	if got := r.value(s); got != "4/s" {
		t.Errorf("the rate is %s", got)
	}
	// By columns of five seconds, each begins five seconds after the other: 2, 4 and 6 a
	// second; the one that began now is not known yet.
	c := r.curve(periodOf(s.now, 25*time.Second, 5))
	if got := rounded(c.columns); got != "NaN 2 4 6 NaN" {
		t.Errorf("rates are %s", got)
	}
	// Nothing was told since: it stayed. Five seconds ago are known, so ten of the last
	// fifteen had none.
	if s, r := p.only(30); r.value(s) != "2/s" {
		t.Errorf("while it stays the rate is %s", r.value(s))
	}
	// It began anew, with 15.
	p.says("a", 35, total(15))
	if s, r := p.only(35); r.value(s) != "1/s" {
		t.Errorf("after a restart the rate is %s", r.value(s))
	}
}

func TestRatesOfPodsAreSummedAlsoOfThoseThatAreGone(t *testing.T) {
	p := newPods(t)
	for i := range 4 {
		p.says("a", 5*i, total(float64(10*i)))
		p.says("b", 5*i, total(float64(1000+20*i)))
	}
	if s, r := p.only(15); r.value(s) != "6/s" || len(r.of) != 2 {
		t.Errorf("the sum of %d is %s", len(r.of), r.value(s))
	}
	p.stops("b", 15)
	s, r := p.only(19)
	if got := r.value(s); got != "2/s" {
		t.Errorf("of the one that is left it is %s", got)
	}
	if got := rounded(r.curve(periodOf(s.now, 20*time.Second, 4)).columns); got != "6 6 6 NaN" {
		t.Errorf("rates were %s", got)
	}
}

func TestGaugesAreSummedAsTheyWere(t *testing.T) {
	p := newPods(t)
	p.says("a", 0, gaugeAt(1))
	p.says("b", 6, gaugeAt(10))
	p.says("a", 12, gaugeAt(2))
	p.stops("b", 19)
	s, r := p.only(24)
	if got := r.value(s); got != "2" {
		t.Errorf("it is %s", got)
	}
	// At the ends of columns of five seconds.
	if got := rounded(r.curve(periodOf(s.now, 25*time.Second, 5)).columns); got != "1 11 12 12 2" {
		t.Errorf("values were %s", got)
	}
}

func TestAHistogramIsShownAsThePercentilesOfTheLastMinute(t *testing.T) {
	p := newPods(t)
	p.says("a", 0, times(1000, 1000, 1000))
	p.says("a", 5, times(1050, 1090, 1100))
	s, r := p.only(5)
	// Of 100: 50 up to 1, 90 up to 2. The median is at 1; the 95th and 99th are above 2.
	values, perSecond, lately := r.percentiles(s.now)
	if rounded(values[:]) != "1 2 2" || perSecond != 20 || !lately {
		t.Errorf("they are %v, %v a second, lately %v", values, perSecond, lately)
	}
	if got := r.value(s); got != "p95 2s" {
		t.Errorf("in short it is %s", got)
	}
	// After a minute without any they are of all: of 1100, 1050 up to 1, so the 550th is at
	// 550/1050, the 1045th at 1045/1050, the 1089th at 39/40 of the second bucket.
	s, r = p.only(100)
	values, perSecond, lately = r.percentiles(s.now)
	if rounded(values[:]) != "0.524 0.995 1.98" || perSecond != 0 || lately {
		t.Errorf("they are %v, %v a second, lately %v", values, perSecond, lately)
	}
	if got := r.value(s); got != "(p95 995ms)" {
		t.Errorf("in short it is %s", got)
	}
}

func TestPercentilesOfPodsAreOfTheirBucketsTogether(t *testing.T) {
	p := newPods(t)
	for _, pod := range []string{"a", "b"} {
		p.says(pod, 0, times(0, 0, 0))
	}
	p.says("a", 5, times(10, 10, 10))
	p.says("b", 5, times(0, 30, 30))
	s, r := p.only(5)
	// Of 40: 10 up to 1, 40 up to 2. The 20th is at 1/3 of the second bucket.
	values, _, _ := r.percentiles(s.now)
	if math.Abs(values[0]-(1+1.0/3)) > 1e-9 {
		t.Errorf("the median is %v", values[0])
	}
	curves := r.quantiles(periodOf(s.now, 10*time.Second, 2))
	if got := rounded(curves[0].columns); got != "1.33 NaN" {
		t.Errorf("medians were %s", got)
	}
}

func TestASummaryIsNeverSummed(t *testing.T) {
	p := newPods(t)
	f := event.Family{Name: "s_seconds", Type: event.Summary, Series: []event.Series{{
		Count: 3, Quantiles: []event.Quantile{{Share: 0.5, Value: 0.1}, {Share: 0.999, Value: 0.2}},
	}}}
	p.says("a", 0, f)
	p.says("b", 0, f)
	s := p.scene(0)
	all := seriesRows(s, false)
	if len(all) != 2 || all[0].name != `s_seconds{pod="a"}` || all[1].value(s) != "p99.9 200ms" {
		t.Errorf("rows are %v", all)
	}
}
