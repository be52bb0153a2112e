package docker

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

// Usage reads the Engine's own samples, one a second, until the container has ended.
// Where the connection breaks it reads on once the Engine answers.
func (c *replica) Usage(ctx context.Context, sample func(event.Usage)) error {
	ctx, stop := c.whileItRuns(ctx)
	defer stop()
	var m meter
	for pause := lookFirst; ; pause = min(2*pause, lookMost) {
		read, err := c.readUsage(ctx, func(s container.StatsResponse) { sample(m.usage(s)) })
		switch {
		case c.isOver() || errdefs.IsNotFound(err):
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case read:
			pause = lookFirst
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// whileItRuns returns a context that also ends with the container: the Engine's stream
// of samples does not.
func (c *replica) whileItRuns(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-c.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(); <-done }
}

// readUsage passes on samples until the stream ends, and tells whether any came.
func (c *replica) readUsage(ctx context.Context, pass func(container.StatsResponse)) (read bool, err error) {
	stats, err := c.client.ContainerStats(ctx, c.id, true)
	if err != nil {
		return false, err
	}
	defer stats.Body.Close()
	for decoder := json.NewDecoder(stats.Body); ; read = true {
		var s container.StatsResponse
		if err := decoder.Decode(&s); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return read, err
		}
		if !s.Read.IsZero() && s.MemoryStats.Usage > 0 { // else it has ended
			pass(s)
		}
	}
}

// meter turns the Engine's counters into what happened between two samples.
type meter struct{ last container.StatsResponse }

func (m *meter) usage(s container.StatsResponse) event.Usage {
	u := event.Usage{
		CPUTime:   time.Duration(s.CPUStats.CPUUsage.TotalUsage),
		Throttled: time.Duration(s.CPUStats.ThrottlingData.ThrottledTime),
		Memory:    inUse(s.MemoryStats),
		PIDs:      int(s.PidsStats.Current),
	}
	if before := m.last; !before.Read.IsZero() {
		if passed := s.Read.Sub(before.Read); passed > 0 {
			u.CPU = share(s.CPUStats.CPUUsage.TotalUsage, before.CPUStats.CPUUsage.TotalUsage, float64(passed))
		}
		now, then := s.CPUStats.ThrottlingData, before.CPUStats.ThrottlingData
		if now.Periods > then.Periods {
			u.ThrottledShare = share(now.ThrottledPeriods, then.ThrottledPeriods, float64(now.Periods-then.Periods))
		}
	}
	m.last = s
	return u
}

// share is a counter's growth by a whole; a counter that fell began anew.
func share(now, then uint64, whole float64) float64 {
	if now < then {
		return 0
	}
	return float64(now-then) / whole
}

// inUse is the memory without the file cache that the kernel drops before it kills, as
// docker stats shows it. Control groups 1 and 2 name that differently. The kernel's own
// peak, which version 1 alone tells, counts the cache and is of no use.
func inUse(m container.MemoryStats) int64 {
	for _, name := range []string{"total_inactive_file", "inactive_file"} {
		if inactive, ok := m.Stats[name]; ok && inactive < m.Usage {
			return int64(m.Usage - inactive)
		}
	}
	return int64(m.Usage)
}
