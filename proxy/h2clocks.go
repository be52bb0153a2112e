package proxy

import "time"

// h2Clocks keeps the time of a connection's requests and of its idle upstream
// connections, with one timer: most requests end long before their clock would
// strike, so it is set only where the next one to look at comes earlier, and looks
// at all of them when it rings.
type h2Clocks struct {
	timer *time.Timer
	next  time.Time // zero where it is not set
	ended bool
}

// setClock begins the clock of a stream's exchange.
func (c *h2Conn) setClock(s *h2Stream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.due = time.Now().Add(s.x.clock.set(s.x.model.timeouts))
	c.ringAt(s.due)
}

// ringAt is called with the lock held.
func (c *h2Conn) ringAt(at time.Time) {
	k := &c.clocks
	if k.ended || (!k.next.IsZero() && !at.Before(k.next)) {
		return
	}
	k.next = at
	if k.timer == nil {
		k.timer = time.AfterFunc(time.Until(at), c.ring)
		return
	}
	k.timer.Reset(time.Until(at))
}

// ring looks at every clock.
func (c *h2Conn) ring() {
	c.mu.Lock()
	c.clocks.next = time.Time{}
	now := time.Now()
	for _, s := range c.streams {
		if !s.due.IsZero() && !s.due.After(now) {
			s.tick(now)
		}
		if !s.due.IsZero() {
			c.ringAt(s.due)
		}
	}
	for _, u := range c.upstreams {
		u.tick(now)
	}
	c.unlock()
	c.flush()
}

func (k *h2Clocks) stop() {
	k.ended = true
	if k.timer != nil {
		k.timer.Stop()
	}
}
