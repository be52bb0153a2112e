package replay

import (
	"cmp"
	"slices"

	"github.com/caraml-dev/merlin-local/proxy/capture/compare"
)

const (
	// mostWorst is how many of the requests that went wrong are kept, and mostDifferences
	// how many differences of each.
	mostWorst       = 100
	mostDifferences = 20
)

// worst keeps those that went worst, each request of the recording once.
type worst struct{ kept []Worst }

func (w *worst) add(o *Outcome) {
	x := Worst{
		Nth: o.Nth, ID: o.Was.ID, Loop: o.Loop, Method: o.Was.Method, Path: o.Was.Path, Kind: o.Kind, Times: 1,
		Failure: o.Failure, Error: o.Is.Error, Differences: o.Result.Differences, More: o.Result.More,
	}
	if over := len(x.Differences) - mostDifferences; over > 0 {
		x.More += over
		x.Differences = slices.Clone(x.Differences[:mostDifferences]) // the others are let go
	}
	if i := slices.IndexFunc(w.kept, func(y Worst) bool { return y.Nth == x.Nth }); i >= 0 {
		times := w.kept[i].Times + 1
		if worse(x, w.kept[i]) < 0 {
			w.kept[i] = x
		}
		w.kept[i].Times = times
	} else {
		w.kept = append(w.kept, x)
	}
	slices.SortFunc(w.kept, worse)
	w.kept = w.kept[:min(len(w.kept), mostWorst)]
}

func (w *worst) all() []Worst { return append([]Worst{}, w.kept...) }

// worse orders requests by what is worst of each: no answer at all, then its worst
// difference, then their place.
func worse(a, b Worst) int {
	var differ int
	if len(a.Differences) > 0 && len(b.Differences) > 0 {
		differ = compare.Worse(a.Differences[0], b.Differences[0])
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), differ, cmp.Compare(a.Nth, b.Nth))
}

func rank(w Worst) int {
	if w.Kind == Failed {
		return 0
	}
	return 1
}
