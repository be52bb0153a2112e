package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture/compare"
)

const (
	// comparisonFormat is the version of its JSON: it changes when a reader of the one before
	// would misread it.
	comparisonFormat = 1
	// mostGroups, mostExamples and mostTimes bound what is kept of a long comparison.
	mostGroups   = 500
	mostExamples = 3
	mostTimes    = 100_000
)

// comparison is what came of comparing answers.
type comparison struct {
	Format   int      `json:"format"`
	OK       bool     `json:"ok"`            // as the exit code says
	Why      []string `json:"why,omitempty"` // it is not
	Was      string   `json:"was"`           // whose answers they were
	Is       string   `json:"is"`
	Requests int      `json:"requests"` // that were compared
	Same     int      `json:"same"`
	Differ   int      `json:"differ"`
	// Skipped are the requests that were not compared, by the reason.
	Skipped map[string]int `json:"skipped,omitempty"`
	// Groups are the places that differ, the worst first; elements of arrays are one place.
	Groups     []*differing `json:"groups"`
	MoreGroups int          `json:"more_groups,omitempty"`
	Tolerated  int          `json:"tolerated,omitempty"`
	Ignored    int          `json:"ignored,omitempty"`
	Hidden     int          `json:"hidden,omitempty"`
	// Latency is nil where times were not known.
	Latency *compare.Verdict `json:"latency,omitempty"`

	groups  map[string]*differing
	finest  time.Duration // in which times are told apart
	was, is []time.Duration
}

// differing is a place at which answers differ.
type differing struct {
	Path     string         `json:"path"` // with * for an element's number
	Kind     compare.Kind   `json:"kind"`
	Requests int            `json:"requests"` // of how many
	Places   int            `json:"places"`   // how many, of all their answers
	Examples []differenceAt `json:"examples"` // the worst first

	last int // the request that was counted last
}

// differenceAt is a difference with its request.
type differenceAt struct {
	Nth    int    `json:"nth"` // of the requests of the file, from 1
	ID     uint64 `json:"id,omitempty"`
	Method string `json:"method"`
	URL    string `json:"url"` // its path
	compare.Difference
}

// compared is one request whose answers were compared.
type compared struct {
	nth    int
	was    event.Exchange
	result compare.Result
}

func newComparison() *comparison {
	return &comparison{Format: comparisonFormat, Skipped: map[string]int{}, Groups: []*differing{}, groups: map[string]*differing{}}
}

func (r *comparison) skip(why string, n int) { r.Skipped[why] += n }

// took notes how long both took, where both are known.
func (r *comparison) took(was, is time.Duration) {
	if was > 0 && is > 0 && len(r.was) < mostTimes {
		r.was, r.is = append(r.was, was), append(r.is, is)
	}
}

func (r *comparison) add(c compared) {
	r.Requests++
	r.Tolerated += c.result.Tolerated
	r.Ignored += c.result.Ignored
	r.Hidden += c.result.Hidden
	if c.result.Same() {
		r.Same++
		return
	}
	r.Differ++
	for _, d := range c.result.Differences {
		r.group(d).add(c, d)
	}
}

// group finds the group of a difference, or makes it; where there are too many already, the
// last of all takes it.
func (r *comparison) group(d compare.Difference) *differing {
	place := anyElement(d.Path)
	key := string(d.Kind) + " " + place
	g := r.groups[key]
	switch {
	case g != nil:
	case len(r.groups) >= mostGroups:
		r.MoreGroups++
		return &differing{}
	default:
		g = &differing{Path: place, Kind: d.Kind}
		r.groups[key] = g
	}
	return g
}

// anyElement is a path with * for the numbers of elements.
func anyElement(path string) string {
	steps := strings.Split(path, ".")
	for i, step := range steps {
		if step != "" && strings.Trim(step, "0123456789") == "" {
			steps[i] = "*"
		}
	}
	return strings.Join(steps, ".")
}

func (g *differing) add(c compared, d compare.Difference) {
	g.Places++
	if g.last != c.nth {
		g.last = c.nth
		g.Requests++
	}
	x := differenceAt{Nth: c.nth, ID: c.was.ID, Method: c.was.Method, URL: c.was.Path, Difference: d}
	if slices.ContainsFunc(g.Examples, func(y differenceAt) bool { return y.Difference == d }) {
		return // another one tells more
	}
	at, _ := slices.BinarySearchFunc(g.Examples, x, func(a, b differenceAt) int {
		return cmp.Or(cmp.Compare(b.Size, a.Size), cmp.Compare(a.Nth, b.Nth))
	})
	if at < mostExamples {
		g.Examples = slices.Insert(g.Examples, at, x)
		g.Examples = g.Examples[:min(len(g.Examples), mostExamples)]
	}
}

// finish sums up.
func (r *comparison) finish(ctx context.Context, err error) {
	for _, g := range r.groups {
		r.Groups = append(r.Groups, g)
	}
	slices.SortFunc(r.Groups, func(a, b *differing) int {
		return cmp.Or(compare.Worse(a.Examples[0].Difference, b.Examples[0].Difference), strings.Compare(a.Path, b.Path))
	})
	if len(r.was) > 0 {
		v := compare.Latency(r.was, r.is).Beyond(r.finest)
		r.Latency = &v
	}
	if r.Differ > 0 {
		r.Why = append(r.Why, fmt.Sprintf("%d of %d answers differ", r.Differ, r.Requests))
	}
	for _, why := range slices.Sorted(maps.Keys(r.Skipped)) {
		r.Why = append(r.Why, fmt.Sprintf("%d not compared: %s", r.Skipped[why], why))
	}
	switch {
	case err != nil:
		r.Why = append(r.Why, err.Error())
	case ctx.Err() != nil:
		r.Why = append(r.Why, "it was interrupted")
	case r.Requests == 0:
		r.Why = append(r.Why, "nothing was compared")
	}
	r.OK = len(r.Why) == 0
}

// err is nil where all is the same.
func (r *comparison) err() error {
	if r.OK {
		return nil
	}
	return errors.New("not the same: " + strings.Join(r.Why, "; "))
}
