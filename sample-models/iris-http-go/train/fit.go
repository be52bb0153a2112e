package main

import (
	"math"
	"slices"

	"example.com/iris-http-go/iris"
)

// The numbers of the descent. The penalty keeps the weights finite: setosa can be
// told apart without an error, and the likelihood alone would grow them for ever.
const (
	steps   = 2000
	rate    = 1.0
	penalty = 1e-3
)

// fit finds the weights by gradient descent from zero over all rows at once, so
// that nothing in it is random.
func fit(flowers []flower) *iris.Model {
	model := &iris.Model{Classes: speciesOf(flowers)}
	model.Mean, model.Scale = standard(flowers)
	model.Weights = make([]iris.Flower, len(model.Classes))
	model.Bias = make([]float64, len(model.Classes))
	for range steps {
		descend(model, flowers)
	}
	return model
}

// descend goes one step down the gradient of the penalised mean log loss.
func descend(model *iris.Model, flowers []flower) {
	weights := make([]iris.Flower, len(model.Classes))
	bias := make([]float64, len(model.Classes))
	for _, f := range flowers {
		for c, p := range model.Probabilities(f.measures) {
			miss := p
			if model.Classes[c] == f.species {
				miss--
			}
			bias[c] += miss
			for i, x := range f.measures {
				weights[c][i] += miss * (x - model.Mean[i]) / model.Scale[i]
			}
		}
	}
	n := float64(len(flowers))
	for c := range model.Classes {
		model.Bias[c] -= rate * bias[c] / n
		for i := range weights[c] {
			model.Weights[c][i] -= rate * (weights[c][i]/n + penalty*model.Weights[c][i])
		}
	}
}

// standard returns mean and standard deviation of every feature.
func standard(flowers []flower) (mean, deviation iris.Flower) {
	n := float64(len(flowers))
	for i := range mean {
		for _, f := range flowers {
			mean[i] += f.measures[i] / n
		}
		for _, f := range flowers {
			deviation[i] += (f.measures[i] - mean[i]) * (f.measures[i] - mean[i]) / n
		}
		deviation[i] = math.Sqrt(deviation[i])
	}
	return mean, deviation
}

// measure returns the share of flowers that the model names rightly, and its mean
// log loss.
func measure(model *iris.Model, flowers []flower) (accuracy, loss float64) {
	right := 0
	for _, f := range flowers {
		p := model.Probabilities(f.measures)
		truth := slices.Index(model.Classes, f.species)
		if p[truth] == slices.Max(p) {
			right++
		}
		loss -= math.Log(p[truth]) / float64(len(flowers))
	}
	return float64(right) / float64(len(flowers)), loss
}
