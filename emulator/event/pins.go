package event

import "time"

// Pins says how the repo's pinned requests do on the event's revision, which answered them
// just now.
type Pins struct {
	Verdicts []PinVerdict `json:"verdicts"` // by name
	// Error says which pins could not be read; empty where all could.
	Error string `json:"error,omitempty"`
}

// PinOutcome is how a pin does.
type PinOutcome string

// The outcomes, the best first.
const (
	PinPass    PinOutcome = "pass"    // it is answered as expected
	PinChanged PinOutcome = "changed" // it is answered, and not as expected
	PinFailed  PinOutcome = "failed"  // it is not answered, or with a failure that was not there
)

// PinVerdict is how one pinned request does.
type PinVerdict struct {
	Name    string     `json:"name"`
	Outcome PinOutcome `json:"outcome"`
	// Why says so in a sentence without its end; empty where it passes.
	Why string `json:"why,omitempty"`
	// Path, Was and Is are the worst of the Differences.
	Path        string        `json:"path,omitempty"`
	Was         string        `json:"was,omitempty"`
	Is          string        `json:"is,omitempty"`
	Differences int           `json:"differences,omitempty"`
	Took        time.Duration `json:"took_ns,omitempty"`
}

func (Pins) kind() string { return "pins" }
