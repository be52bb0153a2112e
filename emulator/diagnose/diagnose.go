// Package diagnose concludes from evidence why a model does not serve. Its rules are
// pure functions, tried from the surest to the vaguest; the first that fits is the
// finding. Whoever gathers the evidence hides the secrets in it.
package diagnose

import "github.com/caraml-dev/merlin-local/emulator/event"

// Finding is the likely cause, with the one next step that fits it.
type Finding struct {
	Cause     event.Cause
	Certainty event.Certainty
	Why       string
	Next      string
}

// Rule recognises one cause.
type Rule struct {
	Cause event.Cause
	// Sign is what it is recognised by, for people.
	Sign  string
	state state
	match func(e *Evidence) (Finding, bool)
}

// state is in which a container is when a rule can fit.
type state int

const (
	ended state = 1 << iota
	waiting
)

// Of is the finding of the first rule that fits.
func Of(e Evidence) Finding {
	now := waiting
	if e.Exit != nil {
		now = ended
	}
	readable := e.readable()
	for _, r := range Rules() {
		if r.state&now == 0 {
			continue
		}
		if f, ok := r.match(readable); ok {
			f.Cause = r.Cause
			return f
		}
	}
	return Finding{Cause: event.CauseUnknown, Certainty: event.Guess}
}

func certain(why, next string) (Finding, bool) {
	return Finding{Certainty: event.Certain, Why: why, Next: next}, true
}

func likely(why, next string) (Finding, bool) {
	return Finding{Certainty: event.Likely, Why: why, Next: next}, true
}

func guess(why, next string) (Finding, bool) {
	return Finding{Certainty: event.Guess, Why: why, Next: next}, true
}

func no() (Finding, bool) { return Finding{}, false }

// logged is a finding from the log: sure where the model died of it, likely where it
// still runs.
func (e *Evidence) logged(why, next string) (Finding, bool) {
	if e.Exit == nil {
		return likely(why, next)
	}
	return certain(why, next)
}
