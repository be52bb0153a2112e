package watch

import "time"

// clock is the time that Run goes by.
type clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

// wall is the time of the machine; in a synctest bubble, that of the bubble.
type wall struct{}

func (wall) Now() time.Time                         { return time.Now() }
func (wall) After(d time.Duration) <-chan time.Time { return time.After(d) }
