package proxy

import (
	"net"
	"sync"
	"time"
)

// h1IdleTime is how long a connection to a replica may be idle, as with queue-proxy.
const h1IdleTime = 90 * time.Second

// h1Pool is the idle connections to one replica; the last one used is the next.
type h1Pool struct {
	most int

	mu     sync.Mutex
	idle   []*h1Upstream
	closed bool
	sweep  *time.Timer // nil where nothing is idle
}

func newH1Pool(most int) *h1Pool { return &h1Pool{most: most} }

// h1Upstream is a connection to a replica.
type h1Upstream struct {
	net.Conn
	quiet  h1Quiet
	armed  time.Time // its deadline
	since  time.Time // it is idle
	reused bool
}

// take returns an idle connection that still lives, or nil.
func (p *h1Pool) take(now time.Time) *h1Upstream {
	for {
		u := p.pop()
		if u == nil {
			return nil
		}
		// A replica may close what is idle. Asking the host is cheap, and what came
		// unasked would be taken for an answer.
		if now.Sub(u.since) < h1IdleTime && u.quiet.holds() {
			u.reused = true
			return u
		}
		_ = u.Close()
	}
}

func (p *h1Pool) pop() *h1Upstream {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return nil
	}
	u := p.idle[last]
	p.idle[last] = nil
	p.idle = p.idle[:last]
	return u
}

// put takes a connection back after a whole answer.
func (p *h1Pool) put(u *h1Upstream, now time.Time) {
	u.since = now
	p.mu.Lock()
	keeps := !p.closed && len(p.idle) < p.most
	if keeps {
		p.idle = append(p.idle, u)
		if p.sweep == nil {
			p.sweep = time.AfterFunc(h1IdleTime, p.sweepOld)
		}
	}
	p.mu.Unlock()
	if !keeps {
		_ = u.Close()
	}
}

// sweepOld closes what has been idle for too long.
func (p *h1Pool) sweepOld() {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := 0
	for old < len(p.idle) && time.Since(p.idle[old].since) >= h1IdleTime {
		_ = p.idle[old].Close()
		old++
	}
	p.idle = append(p.idle[:0], p.idle[old:]...)
	clear(p.idle[len(p.idle):cap(p.idle)])
	if p.sweep = nil; len(p.idle) > 0 && !p.closed {
		p.sweep = time.AfterFunc(h1IdleTime-time.Since(p.idle[0].since), p.sweepOld)
	}
}

// close ends the idle connections; none is kept any more.
func (p *h1Pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, u := range p.idle {
		_ = u.Close()
	}
	p.idle = nil
	if p.sweep != nil {
		p.sweep.Stop()
	}
}
