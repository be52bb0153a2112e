package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"example.com/iris-http-go/iris"
)

// maxBody is some ten thousand flowers.
const maxBody = 1 << 20

type response struct {
	Predictions []prediction `json:"predictions"`
}

type prediction struct {
	Species       string             `json:"species"`
	Probabilities map[string]float64 `json:"probabilities"`
}

func predictionOf(m *iris.Model, f iris.Flower) prediction {
	out := prediction{Probabilities: make(map[string]float64, len(m.Classes))}
	best := -1.0
	for i, p := range m.Probabilities(f) {
		out.Probabilities[m.Classes[i]] = p
		if p > best {
			best, out.Species = p, m.Classes[i]
		}
	}
	return out
}

// decode reads {"instances": [[…], …]}. Its errors tell the client what to send.
func decode(body io.Reader) ([]iris.Flower, error) {
	// Pointers: else a null would pass for a zero.
	var in struct {
		Instances [][]*float64 `json:"instances"`
	}
	dec := json.NewDecoder(body)
	if err := dec.Decode(&in); err != nil {
		return nil, fmt.Errorf("%s: %w", expected, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New(expected + "; something follows it")
	}
	if len(in.Instances) == 0 {
		return nil, errors.New(expected + "; there are no instances")
	}
	flowers := make([]iris.Flower, len(in.Instances))
	for i, instance := range in.Instances {
		if len(instance) != len(iris.Features) {
			return nil, fmt.Errorf("instances[%d] has %d values, not %d: %v in this order",
				i, len(instance), len(iris.Features), iris.Features)
		}
		for j, value := range instance {
			if value == nil {
				return nil, fmt.Errorf("instances[%d][%d], %s, is null; a number is needed", i, j, iris.Features[j])
			}
			flowers[i][j] = *value
		}
	}
	return flowers, nil
}

const expected = `the body must be {"instances": [[5.1, 3.5, 1.4, 0.2], …]}`

// statusOf tells a body that is too large from one that is wrong.
func statusOf(err error) int {
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}
