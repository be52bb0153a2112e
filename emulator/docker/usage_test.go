package docker_test

import (
	"context"
	"testing"

	"github.com/caraml-dev/merlin-local/emulator/event"
)

func TestUsageIsSampledUntilTheContainerEnds(t *testing.T) {
	l := newLab(t)
	s := spec(l.image(t), "serve")
	s.MemoryBytes, s.CPUMillis = 64<<20, 1000
	c := l.start(t, s)
	samples := make(chan event.Usage, 100)
	done := make(chan error, 1)
	go func() { done <- c.Usage(t.Context(), func(u event.Usage) { samples <- u }) }()
	first, second := <-samples, <-samples
	if first.Memory <= 0 || first.Memory > 64<<20 || first.PIDs < 1 || first.CPUTime <= 0 {
		t.Errorf("the first sample is %+v", first)
	}
	if second.CPUTime < first.CPUTime || second.CPU < 0 || second.CPU > 1.5 {
		t.Errorf("the second sample is %+v after %+v", second, first)
	}
	check(t, c.Stop(t.Context(), patience))
	check(t, <-done)
}

func TestUsageEndsWithItsContext(t *testing.T) {
	l := newLab(t)
	c := l.start(t, spec(l.image(t), "serve"))
	ctx, cancel := context.WithCancel(t.Context())
	if err := c.Usage(ctx, func(event.Usage) { cancel() }); err != context.Canceled {
		t.Errorf("Usage gave %v", err)
	}
}

func TestAContainerThatIsHeldBackByItsCPULimitSaysSo(t *testing.T) {
	l := newLab(t)
	s := spec(l.image(t), "spin")
	s.CPUMillis = 100
	c := l.start(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	_ = c.Usage(ctx, func(u event.Usage) {
		if u.ThrottledShare > 0.25 && u.Throttled > 0 && u.CPU > 0 {
			cancel()
		}
	})
	if t.Context().Err() != nil {
		t.Error("it was never seen to be held back")
	}
}
