package main

import (
	"context"
	"os"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/config"
	"github.com/caraml-dev/merlin-local/emulator/control"
	"github.com/caraml-dev/merlin-local/proxy"
	"github.com/caraml-dev/merlin-local/proxy/capture"
)

// captured is a store as the port takes it.
type captured struct{ *capture.Store }

// Begin begins a recording.
func (c captured) Begin() proxy.Recording { return c.Store.Begin() }

// openCapture makes the store of a session, and its folder anew: a killed session may have
// left one. It returns nil where nothing is captured.
func openCapture(c config.Capture, session control.Session, models []*emulator.Model) (*capture.Store, error) {
	if c.Off {
		return nil, nil
	}
	if err := os.RemoveAll(session.Bodies()); err != nil {
		return nil, err
	}
	options := hides(c, models)
	options.Bytes, options.Dir = c.Bytes, session.Bodies()
	store, err := capture.New(options)
	if err != nil {
		return nil, usageError{err}
	}
	return store, nil
}

// hides are the options of what is hidden.
func hides(c config.Capture, models []*emulator.Model) capture.Options {
	return capture.Options{Headers: c.Headers, JSON: c.JSON, Secrets: secretsOf(models)}
}

func secretsOf(models []*emulator.Model) []string {
	var secrets []string
	for _, m := range models {
		secrets = append(secrets, m.Secrets()...)
	}
	return secrets
}

// tellCapture tells what is kept, once a second while it changes, until ctx ends.
func (s *upSession) tellCapture(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	told := s.capture.Stats()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if now := s.capture.Stats(); now != told {
			told = now
			s.stream.Publish("", 0, now)
		}
	}
}
