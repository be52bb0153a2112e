package main

import (
	"context"
	"errors"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// exchanges are what a session has captured. capture.Store is one.
type exchanges interface {
	// Lookup returns an exchange by the ID that its event.Served has; an error says why it
	// is not kept.
	Lookup(id uint64) (event.Exchange, error)
	// Search returns the exchanges of whose bodies one holds the text, the newest first,
	// and whether all that are kept were searched.
	Search(ctx context.Context, text string) (ids []uint64, all bool)
}

// nothingCaptured are the exchanges of a session that captures none.
type nothingCaptured struct{}

var errNothingCaptured = errors.New("this session captures no exchanges")

func (nothingCaptured) Lookup(uint64) (event.Exchange, error) {
	return event.Exchange{}, errNothingCaptured
}

func (nothingCaptured) Search(context.Context, string) ([]uint64, bool) { return nil, true }

// captured are the session's exchanges.
func (s *upSession) captured() exchanges {
	if s.capture == nil {
		return nothingCaptured{}
	}
	return s.capture
}
