package emulator

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Scraper asks a replica for its own metrics, once; scrape.Scraper satisfies it. What
// went wrong is in the sample's Error.
type Scraper interface {
	Scrape(ctx context.Context, address netip.AddrPort) event.Scraped
}

const (
	// scrapeEvery is how often a ready replica is asked for its metrics.
	scrapeEvery = 5 * time.Second
	// scrapeSeldom is how often at most one is that has not given any.
	scrapeSeldom = time.Minute
)

// scraping asks one container for its own metrics while it is ready and no debugger is
// attached. It asks the container itself: the port neither counts nor queues that, and
// no replica is started for it.
type scraping struct {
	*incarnation
	heard chan bool // holds the latest of whether it is ready

	told event.Scraped // what everybody knows
	wait time.Duration // until the next attempt
}

// scrape starts asking; stop ends that and waits for it.
func (c *incarnation) scrape(ctx context.Context) (s *scraping, stop func()) {
	s = &scraping{incarnation: c, heard: make(chan bool, 1), wait: scrapeEvery}
	if c.Scraper == nil || !c.container.Address().IsValid() {
		return s, func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var asking sync.WaitGroup
	asking.Go(func() { s.run(ctx) })
	return s, func() {
		cancel()
		asking.Wait()
	}
}

// hear takes whether the container is ready. One goroutine calls it.
func (s *scraping) hear(ready bool) {
	select {
	case <-s.heard: // nobody has seen it
	default:
	}
	s.heard <- ready
}

// run asks at once where the container becomes ready, and then again and again.
func (s *scraping) run(ctx context.Context) {
	ready := false
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case now := <-s.heard:
			if now && !ready {
				timer.Reset(0)
			}
			ready = now
		case <-timer.C:
			if ready {
				s.ask(ctx)
				timer.Reset(s.wait)
			}
		case <-ctx.Done():
			return
		}
	}
}

// ask tells a sample that differs from the last one.
func (s *scraping) ask(ctx context.Context) {
	if s.suspended.on.Load() { // the model may stand still
		return
	}
	sample := s.Scraper.Scrape(ctx, s.container.Address())
	if ctx.Err() != nil || s.suspended.on.Load() { // the error would be ours, or the debugger's
		return
	}
	sample.Pod = s.name
	if sample.Error == "" {
		s.wait = scrapeEvery
	} else {
		s.wait = min(2*s.wait, scrapeSeldom)
	}
	if s.told.Says(sample) {
		return
	}
	s.told = sample
	s.publish(sample)
}
