package main

import (
	"errors"
	"time"
)

// defaultGrace is what a model has where nothing else is said.
const defaultGrace = 10 * time.Second

// grace is the value of --grace: a duration, or production.
type grace struct {
	limit      time.Duration
	production bool
}

const productionGrace = "production"

// String is what was given.
func (g *grace) String() string {
	if g.production {
		return productionGrace
	}
	return g.limit.String()
}

// Type is what help calls it.
func (*grace) Type() string { return "duration" }

// Set reads it.
func (g *grace) Set(text string) error {
	if text == productionGrace {
		*g = grace{production: true}
		return nil
	}
	limit, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return errors.New("it is a duration such as 30s, or production")
	case limit < 0:
		return errors.New("it cannot be negative")
	}
	*g = grace{limit: limit}
	return nil
}

// drainTimeout is how long the port's running requests may take after a stop.
func (s *upSession) drainTimeout() time.Duration {
	if !s.grace.production {
		return s.grace.limit
	}
	longest := time.Duration(0)
	for _, m := range s.models {
		longest = max(longest, m.Timeout)
	}
	return longest
}
