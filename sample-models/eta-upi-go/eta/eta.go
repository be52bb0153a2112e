// Package eta is the model: a delivery trip in, the minutes that it takes out. A
// Model does not change once it is loaded, so that any number of goroutines may
// ask it.
package eta

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// Weathers are the values that Trip.Weather may have, from the mildest on.
var Weathers = []string{"clear", "rain", "storm"}

// Trip is what is known when the courier leaves.
type Trip struct {
	DistanceKM float64 // along the road
	HourOfDay  int64   // 0 to 23, local time
	IsWeekend  int64   // 0 or 1
	Weather    string  // one of Weathers
}

// features are a trip's numbers, in the order that Split.Feature counts.
type features [4]float64

func (t Trip) features() features {
	return features{
		t.DistanceKM, float64(t.HourOfDay), float64(t.IsWeekend),
		float64(slices.Index(Weathers, t.Weather)),
	}
}

// Feature returns the trip's number that Split.Feature counts.
func (t Trip) Feature(i int) float64 { return t.features()[i] }

// FeatureCount is how many there are.
const FeatureCount = len(features{})

// Model is a sum of regression trees. Its JSON form is the artifact.
type Model struct {
	Trained Performance `json:"trained"`
	Base    float64     `json:"base"` // minutes, before any tree has spoken
	Trees   []Tree      `json:"trees"`
}

// Tree is a regression tree as a list: the first node is the root.
type Tree []Node

// Node is a leaf where Left is 0, for no branch leads back to the root.
type Node struct {
	Feature int     `json:"feature,omitempty"`
	Below   float64 `json:"below,omitempty"` // trips with less go left
	Left    int     `json:"left,omitempty"`
	Right   int     `json:"right,omitempty"`
	Minutes float64 `json:"minutes,omitempty"` // what a leaf adds
}

// Performance says how the model was trained and how far off it was, in minutes,
// on trips that it had not seen.
type Performance struct {
	TrainingRows     int     `json:"training_rows"`
	HeldOutRows      int     `json:"held_out_rows"`
	MeanError        float64 `json:"held_out_mean_absolute_error"`
	MeanErrorByPace  float64 `json:"same_by_distance_alone"` // a straight line through the distances
	MeanErrorOfNoise float64 `json:"same_by_the_true_law"`   // what the noise alone makes: none can do better
}

// Load reads an artifact.
func Load(file string) (*Model, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the model: %w", err)
	}
	m := new(Model)
	if err := json.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("read the model %s: %w", file, err)
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("the model %s is not whole: %w", file, err)
	}
	return m, nil
}

// check finds what would make Minutes panic or never end.
func (m *Model) check() error {
	if len(m.Trees) == 0 {
		return fmt.Errorf("it has no trees")
	}
	for i, tree := range m.Trees {
		if len(tree) == 0 {
			return fmt.Errorf("tree %d is empty", i)
		}
		for j, n := range tree {
			leaf := n.Left == 0 && n.Right == 0
			forward := n.Left > j && n.Right > j && n.Left < len(tree) && n.Right < len(tree)
			if n.Feature < 0 || n.Feature >= FeatureCount || !leaf && !forward {
				return fmt.Errorf("node %d of tree %d leads nowhere", j, i)
			}
		}
	}
	return nil
}

// Minutes is how long the trip takes, and never less than one.
func (m *Model) Minutes(t Trip) float64 {
	x := t.features()
	minutes := m.Base
	for _, tree := range m.Trees {
		minutes += tree.minutes(x)
	}
	return max(1, minutes)
}

// Minutes is what the tree adds for the trip.
func (t Tree) Minutes(trip Trip) float64 { return t.minutes(trip.features()) }

func (t Tree) minutes(x features) float64 {
	node := t[0]
	for node.Left != 0 {
		if x[node.Feature] < node.Below {
			node = t[node.Left]
		} else {
			node = t[node.Right]
		}
	}
	return node.Minutes
}
