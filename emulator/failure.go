package emulator

import (
	"fmt"

	"github.com/caraml-dev/merlin-local/emulator/diagnose"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Failure is why a model does not serve, for people: what happened, why, and what
// to do next.
type Failure struct {
	Model, What, Why, Next string
	// Card is what else is known; What, Why and Next of it are not looked at.
	Card event.Failed
}

func (f *Failure) Error() string {
	text := f.Model + ": " + f.What
	if f.Why != "" {
		text += ": " + f.Why
	}
	return text
}

// card is all that a failure says.
func (f *Failure) card() event.Failed {
	card := f.Card
	card.What, card.Why, card.Next = f.What, f.Why, f.Next
	if card.Cause == "" {
		card.Cause, card.Certainty = event.CauseUnknown, event.Guess
	}
	return card
}

// because gives a failure that names no cause one that is certain.
func (f *Failure) because(cause event.Cause) *Failure {
	if f.Card.Cause == "" {
		f.Card.Cause, f.Card.Certainty = cause, event.Certain
	}
	return f
}

// failure makes a card the reason why the model will not serve.
func (s *supervisor) failure(card event.Failed) *Failure {
	return &Failure{Model: s.id, What: card.What, Why: card.Why, Next: card.Next, Card: card}
}

// describe tells the exit code in words.
func (e Exit) describe() string {
	text := fmt.Sprintf("exited with code %d", e.Code)
	switch signal := e.signal(); {
	case e.OOMKilled:
		return text + " (OOMKilled)"
	case signal != "":
		return text + " (" + signal + ")"
	}
	return text
}

// times counts in words.
func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// signal names the signal that a code over 128 stands for, where it is a usual one.
func (e Exit) signal() string { return diagnose.Signal(e.Code) }
