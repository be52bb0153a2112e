package event

import "time"

// Faults are what is done to the event's model because a person asked for it: all that
// is on, none where the last has ended. Production has none.
type Faults struct {
	On []Fault `json:"on"`
}

// Fault is one of them.
type Fault struct {
	Kind string `json:"kind"` // "latency", "errors", "drop", "kill", "probes", "cpu", "staging"
	// Spec is how it is asked for, as "latency=200ms..1s:50%".
	Spec  string    `json:"spec"`
	Since time.Time `json:"since"`
	// Until is when it ends by itself; nil is with the session.
	Until *time.Time `json:"until,omitempty"`
}

func (Faults) kind() string { return "faults" }
