// Package event says what can happen in a session and carries it to whoever
// wants to know.
//
// Events report; they never command: with every subscriber gone the emulator
// behaves the same. A Stream gives every subscriber the same events in the same
// order, numbered without gaps as they were published. An event holds plain data
// only, so that its JSON form (one line each) says all that the value says.
package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Event is one fact about a session, at one instant.
type Event struct {
	// Seq counts the events of a session from 1. A gap means that a reader was
	// too slow; Dropped then stands in the gap.
	Seq uint64
	// Time is when the fact was published, in UTC.
	Time time.Time
	// Model is the ID of the model concerned ("iris-1"), empty for the session.
	Model string
	// Revision counts the local builds and reloads of a model from 1; it is not
	// Merlin's revision, which counts redeployments. 0 where none is concerned.
	Revision int
	// Fact is what happened.
	Fact Fact
}

// Fact is one of the types of this package.
type Fact interface {
	// kind names the fact in the JSON form. It is unexported to seal the set.
	kind() string
}

// Kind names a fact as its JSON form does.
func Kind(f Fact) string { return f.kind() }

// Publisher takes facts. Publish stamps them and never blocks.
type Publisher interface {
	Publish(model string, revision int, f Fact)
}

// ErrUnknownKind says that another version wrote an event.
var ErrUnknownKind = errors.New("unknown kind")

type wire struct {
	Seq      uint64          `json:"seq"`
	Time     time.Time       `json:"time"`
	Model    string          `json:"model,omitempty"`
	Revision int             `json:"revision,omitempty"`
	Kind     string          `json:"kind"`
	Fact     json.RawMessage `json:"fact"`
}

// MarshalJSON gives the line form: seq, time, model, revision, kind and fact.
func (e Event) MarshalJSON() ([]byte, error) {
	fact, err := json.Marshal(e.Fact)
	if err != nil {
		return nil, fmt.Errorf("event %d: %w", e.Seq, err)
	}
	return json.Marshal(wire{e.Seq, e.Time, e.Model, e.Revision, e.Fact.kind(), fact})
}

// UnmarshalJSON reads the line form. A kind that this version does not know is
// an error that names it.
func (e *Event) UnmarshalJSON(data []byte) error {
	var w wire
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	fact := blank(w.Kind)
	if fact == nil {
		return fmt.Errorf("event %d: %w %q: recorded by another version?", w.Seq, ErrUnknownKind, w.Kind)
	}
	if err := json.Unmarshal(w.Fact, fact); err != nil {
		return fmt.Errorf("event %d, kind %s: %w", w.Seq, w.Kind, err)
	}
	*e = Event{w.Seq, w.Time, w.Model, w.Revision, value(fact)}
	return nil
}
