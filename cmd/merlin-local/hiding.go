package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/caraml-dev/merlin-local/emulator/config"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/proxy/capture"
)

// hidden gives what hides in exchanges that did not pass through the session's capture what
// its rules hide.
func (s *upSession) hidden(c config.Capture) func(event.Exchange) event.Exchange {
	if s.capture != nil {
		return s.capture.Hidden
	}
	h, err := capture.NewHiding(hides(c, s.models))
	if err != nil { // a path that the configuration takes is one
		return func(event.Exchange) event.Exchange { return event.Exchange{} }
	}
	return h.Exchange
}

// hidingOfRepo gives the same by the repo's configuration, and without one what is hidden
// always.
func hidingOfRepo(c *cobra.Command, where *location) (func(event.Exchange) event.Exchange, error) {
	file, err := where.configuration(c)
	if err != nil {
		return nil, err
	}
	if file != nil {
		return hidingOf(file)
	}
	h, err := capture.NewHiding(capture.Options{})
	return h.Exchange, err
}

// hidingOf gives the same by a configuration, where no session is asked.
func hidingOf(file *config.File) (func(event.Exchange) event.Exchange, error) {
	models, err := runnable(file)
	if err != nil {
		return nil, fmt.Errorf("what is secret cannot be hidden: %w", err)
	}
	h, err := capture.NewHiding(hides(file.Capture, models))
	if err != nil {
		return nil, usageError{err}
	}
	return h.Exchange, nil
}
