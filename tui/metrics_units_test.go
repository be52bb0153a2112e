package tui

import (
	"math"
	"testing"

	"github.com/muesli/termenv"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

func TestAValueHasFewDigitsAndItsUnit(t *testing.T) {
	theme := newTheme(termenv.Ascii, false)
	for _, c := range []struct {
		v    float64
		u    unit
		want string
	}{
		{0, noUnit, "0"},
		{3, noUnit, "3"},
		{0.5, noUnit, "0.5"},
		{0.123456, noUnit, "0.12"},
		{0.0123456, noUnit, "0.012"},
		{0.000123456, noUnit, "0.000123"},
		{1e-9, noUnit, "1e-09"},
		{12.345, noUnit, "12.3"},
		{999.4, noUnit, "999"},
		{999.6, noUnit, "1000"},
		{9_999, noUnit, "9999"},
		{12_345, noUnit, "12.3k"},
		{999_600, noUnit, "1M"},
		{1_234_567, noUnit, "1.23M"},
		{-1_234_567, noUnit, "-1.23M"},
		{-0.0001, noUnit, "-0.0001"},
		{2e18, noUnit, "2e+18"},
		{math.Inf(1), noUnit, "+Inf"},
		{math.Inf(-1), inSeconds, "-Inf"},
		{math.NaN(), inSeconds, "-"},
		{0, inSeconds, "0"},
		{0.0000005, inSeconds, "500ns"},
		{0.00085, inSeconds, "850µs"},
		{0.0123, inSeconds, "12.3ms"},
		{0.9999, inSeconds, "1s"},
		{1.234, inSeconds, "1.23s"},
		{119, inSeconds, "119s"},
		{150, inSeconds, "2.5m"},
		{3 * 3600, inSeconds, "3h"},
		{10 * 86400, inSeconds, "10d"},
		{0, inBytes, "0"},
		{1000, inBytes, "0.98Ki"},
		{1536, inBytes, "1.5Ki"},
		{210 << 20, inBytes, "210Mi"},
		{1 << 62, inBytes, "4Ei"},
		{0.123, inPercent, "12.3%"},
		{12, eachSecond, "12/s"},
		{2 << 20, bytesPerSecond, "2Mi/s"},
		{0.25, inCores, "0.25"},
		{1e300, asInstant, "1e+300"},
		{math.NaN(), asInstant, "-"},
	} {
		if got := theme.text(c.v, c.u); got != c.want {
			t.Errorf("%v in unit %d is %q, want %q", c.v, c.u, got, c.want)
		}
	}
	if got := newThemeASCII().text(0.00085, inSeconds); got != "850us" {
		t.Errorf("in ASCII it is %q", got)
	}
}

func newThemeASCII() *theme { return newTheme(termenv.Ascii, true) }

func TestAValueAndItsLimitShareAUnit(t *testing.T) {
	theme := newTheme(termenv.Ascii, false)
	for _, c := range []struct {
		v, limit float64
		u        unit
		want     string
	}{
		{210 << 20, 512 << 20, inBytes, "210/512Mi"},
		{210 << 20, 2 << 30, inBytes, "210Mi/2Gi"},
		{1 << 30, 2 << 30, inBytes, "1/2Gi"},
		{300, 1 << 30, inBytes, "0Mi/1Gi"},
		{300, 500, inBytes, "300/500B"},
		{0.85, 1, noUnit, "0.85/1"},
		{0.85, 0.5, noUnit, "0.85/0.5"},
		{0.85, 0, noUnit, "0.85"},
		{math.NaN(), 1, noUnit, "-"},
	} {
		if got := theme.of(c.v, c.limit, c.u); got != c.want {
			t.Errorf("%v of %v is %q, want %q", c.v, c.limit, got, c.want)
		}
	}
}

func TestAFamilySaysWhatItCounts(t *testing.T) {
	for _, c := range []struct {
		name, unit string
		kind       event.MetricType
		want       unit
	}{
		{"requests_total", "", event.Counter, eachSecond},
		{"process_cpu_seconds_total", "", event.Counter, inCores},
		{"sent_bytes_total", "", event.Counter, bytesPerSecond},
		{"read_bytes_total", "bytes", event.Counter, bytesPerSecond},
		{"latency_seconds", "", event.Histogram, inSeconds},
		{"latency", "seconds", event.Histogram, inSeconds},
		{"memory_bytes", "", event.Gauge, inBytes},
		{"hit_ratio", "", event.Gauge, inPercent},
		{"process_start_time_seconds", "", event.Gauge, asInstant},
		{"last_push_timestamp_seconds", "", event.Gauge, asInstant},
		{"waiting_time_seconds", "", event.Histogram, inSeconds},
		{"queue", "", event.Gauge, noUnit},
	} {
		if got := unitOf(&event.Family{Name: c.name, Unit: c.unit, Type: c.kind}); got != c.want {
			t.Errorf("%s is in unit %d, want %d", c.name, got, c.want)
		}
	}
}

func TestAnAxisEndsAtARoundNumber(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		u         unit
		close     bool
		want      scale
	}{
		{0, 0, noUnit, false, scale{0, 1}},
		{0, 7, noUnit, false, scale{0, 8}},
		{0, 130, noUnit, false, scale{0, 150}},
		{0, 0.0123, inSeconds, false, scale{0, 0.015}},
		{0, 100 << 20, inBytes, false, scale{0, 128 << 20}},
		{0, 1000, inBytes, false, scale{0, 1024}},
		{3, 8, noUnit, true, scale{0, 8}},
		{101, 109, noUnit, true, scale{100, 112}}, // by steps of 4
		{5, 5, noUnit, true, scale{0, 10}},
		{5, 5, noUnit, false, scale{0, 5}},
		{-3, 8, noUnit, true, scale{-3, 8}},
		{-3, -1, noUnit, true, scale{-3, 0}},
		{math.NaN(), math.NaN(), noUnit, true, scale{0, 1}},
		{0, math.Inf(1), noUnit, true, scale{0, 1}},
	} {
		got := scaleOf(c.low, c.high, c.u, c.close)
		if math.Abs(got.low-c.want.low) > 1e-9 || math.Abs(got.high-c.want.high) > 1e-9*c.want.high {
			t.Errorf("from %v to %v: %v, want %v", c.low, c.high, got, c.want)
		}
	}
}

func TestACPULimitIsReadAsKubernetesPrintsIt(t *testing.T) {
	for text, want := range map[string]float64{"": 0, "500m": 0.5, "2": 2, "1.5": 1.5, "-1": 0, "x": 0, "NaN": 0, "Inf": 0} {
		if got := cpuLimit(text); got != want {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
}
