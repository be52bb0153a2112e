package docker_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
)

func TestTheSocketsOfAContainerAreSeenWhileItRuns(t *testing.T) {
	l := newLab(t)
	c := l.start(t, spec(l.image(t)))
	if _, err := c.Listening(t.Context()); errors.Is(err, errors.ErrUnsupported) {
		t.Skip("SKIPPED: the Engine is not on this Linux host: ", err)
	}
	eventually(t, "it listens on 8080", func() bool {
		found, err := c.Listening(t.Context())
		check(t, err)
		return slices.ContainsFunc(found, func(s netip.AddrPort) bool { return s.Port() == 8080 && !s.Addr().IsLoopback() })
	})
	check(t, c.Remove(context.Background()))
	if found, err := c.Listening(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("after its end: %v, %v", found, err)
	}
}
