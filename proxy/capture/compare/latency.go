package compare

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/aclements/go-moremath/stats"
)

// Speed is how one set of durations is beside another.
type Speed string

// The verdicts.
const (
	TooFew       Speed = "too few"
	NoDifference Speed = "no difference seen"
	Slower       Speed = "slower"
	Faster       Speed = "faster"
)

const (
	// fewest is how many durations each side has at least for a verdict.
	fewest = 10
	// chance is below which probability a difference is no chance.
	chance = 0.01
	// slightest is how far the medians are apart at least, as a share of the first.
	slightest = 0.05
)

// Verdict says whether answers took longer than others.
type Verdict struct {
	Speed Speed `json:"speed"`
	// P is how probable so great a difference is by chance alone, by the Mann-Whitney U test; 1
	// where there are too few.
	P         float64       `json:"p"`
	Was       int           `json:"was"` // how many durations
	Is        int           `json:"is"`
	MedianWas time.Duration `json:"median_was_ns"`
	MedianIs  time.Duration `json:"median_is_ns"`
	P95Was    time.Duration `json:"p95_was_ns"`
	P95Is     time.Duration `json:"p95_is_ns"`
}

// Latency compares durations in no order of their own. It is slower or faster where that is
// less probable than 1 in 100 by chance, whatever the shape of the two distributions, and
// the medians are at least 5 % apart: of many thousand durations the slightest
// difference is no chance, and of no interest. It changes neither argument.
func Latency(was, is []time.Duration) Verdict {
	x, y := sorted(was), sorted(is)
	v := Verdict{
		Speed: TooFew, P: 1, Was: len(was), Is: len(is),
		MedianWas: quantile(x, 0.5), MedianIs: quantile(y, 0.5), P95Was: quantile(x, 0.95), P95Is: quantile(y, 0.95),
	}
	if len(x) < fewest || len(y) < fewest {
		return v
	}
	v.Speed = NoDifference
	test, err := stats.MannWhitneyUTest(x, y, stats.LocationDiffers)
	if err != nil { // all are equal
		return v
	}
	v.P = test.P
	share := math.Abs(float64(v.MedianIs-v.MedianWas)) / max(float64(v.MedianWas), 1)
	switch {
	case v.P >= chance || share < slightest:
	case v.MedianIs > v.MedianWas:
		v.Speed = Slower
	default:
		v.Speed = Faster
	}
	return v
}

// Beyond is the verdict where medians that are less than that apart are no difference: what was
// measured in two ways is not told apart more finely.
func (v Verdict) Beyond(least time.Duration) Verdict {
	if (v.Speed == Slower || v.Speed == Faster) && (v.MedianIs-v.MedianWas).Abs() < least {
		v.Speed = NoDifference
	}
	return v
}

func sorted(all []time.Duration) []float64 {
	out := make([]float64, len(all))
	for i, d := range all {
		out[i] = float64(d)
	}
	slices.Sort(out)
	return out
}

// quantile is the value that the share q does not exceed.
func quantile(sorted []float64, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return time.Duration(sorted[max(int(math.Ceil(q*float64(len(sorted))))-1, 0)])
}

// String is the verdict as a sentence without its end.
func (v Verdict) String() string {
	if v.Was == 0 || v.Is == 0 {
		return "latency: too few to tell"
	}
	numbers := fmt.Sprintf("median %s, was %s; p95 %s, was %s", brief(v.MedianIs), brief(v.MedianWas), brief(v.P95Is), brief(v.P95Was))
	switch v.Speed {
	case TooFew:
		return fmt.Sprintf("latency: too few to tell (%d and %d, of %d each at least): %s", v.Was, v.Is, fewest, numbers)
	case NoDifference:
		return fmt.Sprintf("latency: no difference seen: %s (p = %.2g)", numbers, v.P)
	}
	return fmt.Sprintf("latency: %s by %.0f %%: %s (p = %.2g)", v.Speed,
		100*math.Abs(float64(v.MedianIs-v.MedianWas))/max(float64(v.MedianWas), 1), numbers, v.P)
}

// brief is a duration with three digits.
func brief(d time.Duration) string {
	for unit := time.Duration(1); ; unit *= 10 {
		if d < 1000*unit {
			return d.Round(unit).String()
		}
	}
}
