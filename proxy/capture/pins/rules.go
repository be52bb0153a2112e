package pins

import "github.com/caraml-dev/merlin-local/proxy/capture/compare"

// Rules are a pin's own, over those of its model. A tolerance that is given takes the
// place of the model's, and lists are added to its.
type Rules struct {
	Absolute  *float64    `json:"absolute,omitempty"`
	Relative  *float64    `json:"relative,omitempty"`
	At        []Tolerance `json:"at,omitempty"`
	Ignore    []string    `json:"ignore,omitempty"`
	Unordered []string    `json:"unordered,omitempty"`
	Headers   []string    `json:"headers,omitempty"`
	Integers  string      `json:"integers,omitempty"` // "apart" or "as_floats"
}

// Tolerance is one for a place.
type Tolerance struct {
	Path     string  `json:"path"`
	Absolute float64 `json:"absolute,omitempty"`
	Relative float64 `json:"relative,omitempty"`
}

// over lays the pin's rules over the model's.
func (r Rules) over(model compare.Rules) compare.Rules {
	if r.Absolute != nil {
		model.Absolute = *r.Absolute
	}
	if r.Relative != nil {
		model.Relative = *r.Relative
	}
	all := append([]compare.Tolerance(nil), model.At...)
	for _, t := range r.At {
		all = append(all, compare.Tolerance(t))
	}
	model.At = all
	model.Ignore = joined(model.Ignore, r.Ignore)
	model.Unordered = joined(model.Unordered, r.Unordered)
	model.Headers = joined(model.Headers, r.Headers)
	if r.Integers != "" {
		model.OneNumber = r.Integers == "as_floats"
	}
	return model
}

func joined(a, b []string) []string { return append(append([]string(nil), a...), b...) }
