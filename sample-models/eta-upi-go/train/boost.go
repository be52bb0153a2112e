package main

import (
	"math"
	"slices"

	"example.com/eta-upi-go/eta"
)

const (
	treeCount = 120
	depth     = 4    // four questions see distance, hour, weekend and weather together
	rate      = 0.1  // how much of a tree's advice is taken
	minLeaf   = 20   // trips
	maxCuts   = 32   // thresholds tried a feature
	leafSteps = 1000 // leaves are rounded to 1/1000 minute, which keeps the file small
)

// boost grows one tree after another, each on what those before got wrong. Nothing
// in it is random.
func boost(trips []observed) *eta.Model {
	g := &grower{trips: trips, missing: make([]float64, len(trips))}
	for i := range g.cuts {
		g.cuts[i] = cuts(trips, i)
	}
	model := &eta.Model{}
	for _, t := range trips {
		model.Base += t.minutes / float64(len(trips))
	}
	model.Base = round(model.Base, leafSteps)
	for i, t := range trips {
		g.missing[i] = t.minutes - model.Base
	}
	for range treeCount {
		tree := g.tree()
		for i, t := range trips {
			g.missing[i] -= tree.Minutes(t.Trip)
		}
		model.Trees = append(model.Trees, tree)
	}
	return model
}

// grower grows trees on the same trips.
type grower struct {
	trips   []observed
	missing []float64 // minutes that the trees so far do not explain
	cuts    [eta.FeatureCount][]float64
}

func (g *grower) tree() eta.Tree {
	all := make([]int, len(g.trips))
	for i := range all {
		all[i] = i
	}
	var tree eta.Tree
	g.grow(&tree, all, depth)
	return tree
}

// grow appends the node for these trips and everything below it.
func (g *grower) grow(tree *eta.Tree, trips []int, depth int) (node int) {
	node = len(*tree)
	*tree = append(*tree, eta.Node{})
	feature, below, found := 0, 0.0, false
	if depth > 0 {
		feature, below, found = g.bestCut(trips)
	}
	if !found {
		(*tree)[node].Minutes = round(rate*g.sum(trips)/float64(len(trips)), leafSteps)
		return node
	}
	var left, right []int
	for _, i := range trips {
		if g.trips[i].Feature(feature) < below {
			left = append(left, i)
		} else {
			right = append(right, i)
		}
	}
	l := g.grow(tree, left, depth-1)
	r := g.grow(tree, right, depth-1)
	(*tree)[node] = eta.Node{Feature: feature, Below: below, Left: l, Right: r}
	return node
}

// bestCut finds the question whose answer lowers the squared error most.
func (g *grower) bestCut(trips []int) (feature int, below float64, found bool) {
	total, n := g.sum(trips), float64(len(trips))
	best := total*total/n + 1e-9
	for f := range g.cuts {
		sums := make([]float64, len(g.cuts[f])+1)
		counts := make([]float64, len(sums))
		for _, i := range trips {
			bin, on := slices.BinarySearch(g.cuts[f], g.trips[i].Feature(f))
			if on {
				bin++ // a trip on the cut goes right
			}
			sums[bin] += g.missing[i]
			counts[bin]++
		}
		sum, count := 0.0, 0.0
		for c, cut := range g.cuts[f] {
			sum += sums[c]
			count += counts[c]
			if count < minLeaf || n-count < minLeaf {
				continue
			}
			gain := sum*sum/count + (total-sum)*(total-sum)/(n-count)
			if gain > best {
				best, feature, below, found = gain, f, cut, true
			}
		}
	}
	return feature, below, found
}

func (g *grower) sum(trips []int) (sum float64) {
	for _, i := range trips {
		sum += g.missing[i]
	}
	return sum
}

// cuts are the middles between neighbouring values of a feature, thinned out to
// equal shares of the trips.
func cuts(trips []observed, feature int) []float64 {
	values := make([]float64, len(trips))
	for i, t := range trips {
		values[i] = t.Feature(feature)
	}
	slices.Sort(values)
	distinct := slices.Compact(slices.Clone(values))
	if len(distinct) > maxCuts {
		distinct = distinct[:0]
		for i := range maxCuts + 1 {
			distinct = append(distinct, values[i*(len(values)-1)/maxCuts])
		}
		distinct = slices.Compact(distinct)
	}
	var middles []float64
	for i := 1; i < len(distinct); i++ {
		middles = append(middles, round((distinct[i-1]+distinct[i])/2, leafSteps))
	}
	return middles
}

// straightLine is the least-squares line through minutes by distance: what a model
// has to beat.
func straightLine(trips []observed) func(eta.Trip) float64 {
	n := float64(len(trips))
	var x, y, xx, xy float64
	for _, t := range trips {
		x += t.DistanceKM / n
		y += t.minutes / n
		xx += t.DistanceKM * t.DistanceKM / n
		xy += t.DistanceKM * t.minutes / n
	}
	slope := (xy - x*y) / (xx - x*x)
	return func(t eta.Trip) float64 { return y + slope*(t.DistanceKM-x) }
}

// meanError is the mean absolute error in minutes.
func meanError(trips []observed, predict func(eta.Trip) float64) (mean float64) {
	for _, t := range trips {
		mean += math.Abs(predict(t.Trip)-t.minutes) / float64(len(trips))
	}
	return round(mean, leafSteps)
}
