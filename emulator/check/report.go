package check

import (
	"slices"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// Report is what came of one subject, in the order of the rules.
type Report struct {
	Subject  string          `json:"model"`
	Protocol merlin.Protocol `json:"protocol"`
	Image    string          `json:"image,omitempty"`
	Took     time.Duration   `json:"took_ns"`
	Results  []Result        `json:"results"`
	// Place is the file that the fixes are most likely made in, relative to the repo; for
	// SARIF, whose results want a place.
	Place string `json:"-"`
}

// Fails tells whether a rule of that severity, or of a graver one, does not hold.
func (r Report) Fails(severity Severity) bool {
	return slices.ContainsFunc(r.against(), func(result Result) bool { return result.Severity.AtLeast(severity) })
}

// against are the results of rules that do not hold.
func (r Report) against() (some []Result) {
	for _, result := range r.Results {
		switch result.Outcome {
		case Failed, Warned, Noted:
			some = append(some, result)
		}
	}
	return some
}

// of are the results of one outcome.
func (r Report) of(outcome Outcome) (some []Result) {
	for _, result := range r.Results {
		if result.Outcome == outcome {
			some = append(some, result)
		}
	}
	return some
}
