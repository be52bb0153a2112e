package tui

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// numberText gives a number three digits that mean something, and a letter for thousands.
func numberText(v float64) string {
	switch abs := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return infiniteText(v)
	case abs >= 1e15 || abs != 0 && abs < 1e-3:
		return strconv.FormatFloat(v, 'g', 3, 64)
	case abs >= 999.5e9:
		return threeDigits(v/1e12) + "T"
	case abs >= 999.5e6:
		return threeDigits(v/1e9) + "G"
	case abs >= 999.5e3:
		return threeDigits(v/1e6) + "M"
	case abs >= 9_999.5:
		return threeDigits(v/1e3) + "k"
	case abs >= 999.5:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return threeDigits(v)
}

func infiniteText(v float64) string {
	if math.IsNaN(v) {
		return "NaN"
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

// threeDigits are the first three digits of a number below a thousand.
func threeDigits(v float64) string {
	decimals := 2
	switch abs := math.Abs(v); {
	case abs >= 99.95:
		decimals = 0
	case abs >= 9.995:
		decimals = 1
	case abs < 0.0995:
		decimals = 3
	}
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	if decimals > 0 {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		return "0"
	}
	return text
}

// unit is what a value counts in.
type unit int

const (
	noUnit unit = iota
	inSeconds
	inBytes
	inPercent  // of one, shown in percent
	asInstant  // a time, in seconds since 1970
	eachSecond // so many a second
	bytesPerSecond
	inCores // seconds of CPU a second
)

// text is a value in its unit, in at most nine cells.
func (t *theme) text(v float64, u unit) string {
	if math.IsNaN(v) {
		return "-"
	}
	if math.IsInf(v, 0) {
		return infiniteText(v)
	}
	switch u {
	case inSeconds:
		return t.lasts(v)
	case inBytes:
		return bytesText(v)
	case inPercent:
		return numberText(100*v) + "%"
	case asInstant:
		if !isInstant(v) {
			return numberText(v)
		}
		return time.Unix(int64(v), 0).Local().Format("15:04:05")
	case eachSecond:
		return numberText(v) + "/s"
	case bytesPerSecond:
		return bytesText(v) + "/s"
	}
	return numberText(v)
}

// isInstant tells whether a value can be a time: within some thousand years.
func isInstant(v float64) bool { return math.Abs(v) < 1e11 }

// lasts is a time in seconds.
func (t *theme) lasts(v float64) string {
	micro := "µs"
	if t.glyphs.ascii {
		micro = "us"
	}
	switch abs := math.Abs(v); {
	case abs == 0:
		return "0"
	case abs >= 48*3600:
		return numberText(v/86400) + "d"
	case abs >= 2*3600:
		return threeDigits(v/3600) + "h"
	case abs >= 120:
		return threeDigits(v/60) + "m"
	case abs >= 0.9995:
		return threeDigits(v) + "s"
	case abs >= 0.0009995:
		return threeDigits(v*1e3) + "ms"
	case abs >= 0.9995e-6:
		return threeDigits(v*1e6) + micro
	}
	return threeDigits(v*1e9) + "ns"
}

// byteUnits are each 1024 of the one before.
var byteUnits = []string{"B", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"}

func bytesText(v float64) string {
	i := 0
	for ; math.Abs(v) >= 999.5 && i < len(byteUnits)-1; i++ {
		v /= 1024
	}
	if v == 0 {
		return "0"
	}
	if math.Abs(v) >= 1e6 {
		return strconv.FormatFloat(v, 'g', 3, 64) + byteUnits[i]
	}
	return threeDigits(v) + byteUnits[i]
}

// of puts a value and its limit into one text, in the limit's unit: 210/512Mi, or in the
// next smaller one: 95Mi/2Gi.
func (t *theme) of(v, limit float64, u unit) string {
	if limit <= 0 || math.IsNaN(v) {
		return t.text(v, u)
	}
	whole := t.text(limit, u)
	suffix := strings.TrimLeft(whole, "0123456789.")
	scale := 1.0
	if i := slices.Index(byteUnits, suffix); u == inBytes && i > 0 {
		scale = math.Pow(1024, float64(i))
	}
	if scale > 1 && v < scale {
		v, suffix = math.Round(v/scale*1024), smallerUnit(suffix)
		return strconv.FormatFloat(v, 'f', 0, 64) + suffix + "/" + whole
	}
	return threeDigits(v/scale) + "/" + whole
}

// smallerUnit is the unit of bytes that is a 1024th of another.
func smallerUnit(suffix string) string {
	i := slices.Index(byteUnits, suffix)
	return byteUnits[max(i-1, 0)]
}

// unitOf is what the values of a family count in, by its own word or by its name.
func unitOf(f *event.Family) unit {
	name := strings.TrimSuffix(f.Name, "_total")
	has := func(suffix string) bool { return f.Unit == suffix || strings.HasSuffix(name, "_"+suffix) }
	switch {
	case f.Type == event.Counter && strings.HasSuffix(name, "cpu_seconds"):
		return inCores
	case f.Type == event.Counter && has("bytes"):
		return bytesPerSecond
	case f.Type == event.Counter:
		return eachSecond
	case strings.HasSuffix(name, "_timestamp_seconds"), strings.HasSuffix(name, "_time_seconds") && f.Type == event.Gauge, strings.HasSuffix(name, "_created"):
		return asInstant
	case has("seconds"):
		return inSeconds
	case has("bytes"):
		return inBytes
	case has("ratio"):
		return inPercent
	}
	return noUnit
}

// roof is the top of an axis that holds a value: a round number, and none where nothing
// is above zero.
func roof(v float64, u unit) float64 {
	if !(v > 0) || math.IsInf(v, 0) {
		return 1
	}
	base, steps := 10.0, []float64{1, 1.5, 2, 3, 4, 5, 6, 8, 10}
	if u == inBytes || u == bytesPerSecond {
		base, steps = 1024, []float64{1, 2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024}
	}
	scale := math.Pow(base, math.Floor(math.Log(v)/math.Log(base)))
	for _, step := range steps {
		if v <= step*scale*(1+1e-9) {
			return step * scale
		}
	}
	return base * scale
}

// scaleOf is an axis that holds what a curve was: from zero, or from below it, and where
// the curve lies far from zero and is not even, close around it.
func scaleOf(low, high float64, u unit, close bool) scale {
	switch {
	case math.IsNaN(low) || math.IsNaN(high) || math.IsInf(low, 0) || math.IsInf(high, 0):
		return scale{0, 1}
	case low == high && low > 0 && close: // in the middle, so that it is no wall
		return scale{0, 2 * high}
	case low < 0:
		return scale{-roof(-low, u), max(roof(high, u)*sign(high), 0)}
	case close && high > low && low > high/2:
		step := roof(high-low, u) / 2
		return scale{math.Floor(low/step) * step, math.Ceil(high/step) * step}
	}
	return scale{0, roof(high, u)}
}

// sign is 1 of what is above zero, else 0.
func sign(v float64) float64 {
	if v > 0 {
		return 1
	}
	return 0
}

// cpuLimit reads a limit as Kubernetes prints it: 500m, 2, 1.5. It is 0 where there is none.
func cpuLimit(text string) float64 {
	scale := 1.0
	if rest, milli := strings.CutSuffix(text, "m"); milli {
		text, scale = rest, 1e-3
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || v < 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return 0
	}
	return v * scale
}

// minutesText names a length of time on an axis.
func minutesText(d time.Duration) string {
	if d%time.Minute == 0 {
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}
