package emulator_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/caraml-dev/merlin-local/emulator"
)

func TestWhatOldRevisionsLeftIsRemovedOnceTheTrafficHasMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var tidied [][]string // the traffic's moves by then
		var mu sync.Mutex
		w.tidy = func(context.Context) {
			mu.Lock()
			defer mu.Unlock()
			tidied = append(tidied, (&repo{world: w}).only("route"))
		}
		r := edit(t, w, python())
		r.save("s1", "/repo/requirements.txt")
		w.building = func(context.Context, emulator.ImageSpec) error { return errBroken }
		r.save("s2", "/repo/requirements.txt")
		first, second := "route 1 [172.17.0.2:8080]", "route 2 [172.17.0.3:8080]"
		want := [][]string{{first}, {first, second}, {first, second}} // a build in vain leaves something too
		if !slices.EqualFunc(tidied, want, slices.Equal[[]string]) {
			t.Errorf("it was tidied after %q, want %q", tidied, want)
		}
		r.end()
	})
}

func TestNobodyWaitsForTheTidying(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.tidy = func(ctx context.Context) { <-ctx.Done() }
		r := edit(t, w, python())
		r.save("s1", "/repo/requirements.txt")
		r.save("s2", "/repo/requirements.txt")
		if got := r.only("route"); len(got) != 3 {
			t.Errorf("the traffic went %q", got)
		}
		r.end()
	})
}
