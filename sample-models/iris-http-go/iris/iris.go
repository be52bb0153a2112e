// Package iris is the model: four measures of a flower in, the species that they
// speak for out. A Model does not change once it is loaded, so that any number of
// goroutines may ask it.
package iris

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
)

// Features are the measures of a flower, in the order of an instance, all in
// centimetres.
var Features = [4]string{"sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm"}

// Flower holds one value for each of Features.
type Flower [len(Features)]float64

// Model is a multinomial logistic regression on standardised features. Its JSON
// form is the artifact.
type Model struct {
	Classes []string    `json:"classes"`
	Mean    Flower      `json:"mean"`    // of the training rows, subtracted from a flower
	Scale   Flower      `json:"scale"`   // their standard deviation, which divides it then
	Weights []Flower    `json:"weights"` // one row a class
	Bias    []float64   `json:"bias"`    // one value a class
	Trained Performance `json:"trained"`
}

// Performance says how the model was trained and what it did on rows that it had
// not seen.
type Performance struct {
	TrainingRows    int     `json:"training_rows"`
	HeldOutRows     int     `json:"held_out_rows"`
	HeldOutAccuracy float64 `json:"held_out_accuracy"`
	HeldOutLogLoss  float64 `json:"held_out_log_loss"`
	Seed            uint64  `json:"seed"` // of the split
	// MeanAccuracy is over Splits models of the same kind, each with flowers of its
	// own held out: 48 flowers alone are few.
	MeanAccuracy float64 `json:"mean_accuracy"`
	Splits       int     `json:"splits"`
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

// check finds what would make Probabilities panic or answer NaN.
func (m *Model) check() error {
	if len(m.Classes) < 2 {
		return fmt.Errorf("it has %d classes, not two or more", len(m.Classes))
	}
	if len(m.Weights) != len(m.Classes) || len(m.Bias) != len(m.Classes) {
		return fmt.Errorf("%d classes have %d rows of weights and %d biases",
			len(m.Classes), len(m.Weights), len(m.Bias))
	}
	for i, s := range m.Scale {
		if s <= 0 {
			return fmt.Errorf("the scale of %s is %v", Features[i], s)
		}
	}
	return nil
}

// Probabilities returns how likely each of m.Classes is. They sum to one.
func (m *Model) Probabilities(f Flower) []float64 {
	scores := make([]float64, len(m.Classes))
	for c, weights := range m.Weights {
		scores[c] = m.Bias[c]
		for i, w := range weights {
			scores[c] += w * (f[i] - m.Mean[i]) / m.Scale[i]
		}
	}
	return softmax(scores)
}

// softmax works in place; it subtracts the highest score, so that none overflows.
func softmax(scores []float64) []float64 {
	highest := math.Inf(-1)
	for _, s := range scores {
		highest = max(highest, s)
	}
	sum := 0.0
	for i, s := range scores {
		scores[i] = math.Exp(s - highest)
		sum += scores[i]
	}
	for i := range scores {
		scores[i] /= sum
	}
	return scores
}
