package compare

import (
	"fmt"
	"strings"

	"github.com/caraml-dev/merlin-local/proxy/capture/jsonpath"
)

// Rules say what counts as a difference. The zero value takes every one: numbers have to
// be the same double or the same integer, and 1 is not 1.0.
//
// Paths are those of the capture, as "predictions.*.score" or "**.id", and elements have
// their numbers, from 0. In UPI's tables a cell is rows.N.values.COLUMN, as in
// "prediction_result_table.rows.*.values.eta".
type Rules struct {
	// Two numbers are the same where they are apart by at most Absolute, or by at most
	// Relative of the larger one.
	Absolute, Relative float64
	// At are tolerances for places in the stead of those two; the last one that leads
	// there counts.
	At []Tolerance
	// Ignore are places that are not looked at, with all that is below them.
	Ignore []string
	// Unordered are places of arrays whose elements have no order.
	Unordered []string
	// Headers are names of header and trailer fields that are compared; no others are.
	Headers []string
	// OneNumber has integers and floats be the same kind: 1 and 1.0 are the same then.
	OneNumber bool
}

// Tolerance is how far numbers may be apart at places.
type Tolerance struct {
	Path               string
	Absolute, Relative float64
}

// Check is an error that names the first path or tolerance that is none.
func (r Rules) Check() error {
	_, err := r.compile()
	return err
}

// compiled are rules with their paths read.
type compiled struct {
	Rules
	ignore, unordered []jsonpath.Path
	at                []at
}

type at struct {
	path jsonpath.Path
	Tolerance
}

// compile reads all paths. Those that are none are left out, and the first is the error.
func (r Rules) compile() (*compiled, error) {
	c := &compiled{Rules: r}
	var first error
	parse := func(text string) jsonpath.Path {
		p, err := jsonpath.Parse(text)
		if err != nil && first == nil {
			first = err
		}
		return p
	}
	for _, text := range r.Ignore {
		if p := parse(text); p != nil {
			c.ignore = append(c.ignore, p)
		}
	}
	for _, text := range r.Unordered {
		if p := parse(text); p != nil {
			c.unordered = append(c.unordered, p)
		}
	}
	tolerances := append([]Tolerance{{Path: "**", Absolute: r.Absolute, Relative: r.Relative}}, r.At...)
	for _, t := range tolerances {
		if bad := !(t.Absolute >= 0) || !(t.Relative >= 0); bad && first == nil {
			first = fmt.Errorf("a tolerance of %v and %v at %s: it is 0 or more", t.Absolute, t.Relative, t.Path)
		}
		if p := parse(t.Path); p != nil {
			c.at = append(c.at, at{p, t})
		}
	}
	return c, first
}

// tolerance is how far numbers may be apart at a place.
func (c *compiled) tolerance(place []string) (absolute, relative float64) {
	for i := len(c.at) - 1; i > 0; i-- {
		if c.at[i].path.Matches(place) {
			return c.at[i].Absolute, c.at[i].Relative
		}
	}
	return c.Absolute, c.Relative
}

func leads(paths []jsonpath.Path, place []string) bool {
	for _, p := range paths {
		if p.Matches(place) {
			return true
		}
	}
	return false
}

// named tells whether a header is to be compared.
func (c *compiled) named() []string {
	var names []string
	seen := map[string]bool{}
	for _, name := range c.Headers {
		if name = strings.ToLower(name); !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}
