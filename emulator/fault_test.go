package emulator_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// brittle is a runtime whose containers can be broken on request.
type brittle struct{ *fakeRuntime }

func (b brittle) Start(ctx context.Context, spec emulator.ContainerSpec) (emulator.Container, error) {
	c, err := b.fakeRuntime.Start(ctx, spec)
	if err != nil {
		return nil, err
	}
	return brittleContainer{c.(*fakeContainer)}, nil
}

type brittleContainer struct{ *fakeContainer }

func (c brittleContainer) Freeze(context.Context) error { c.note("freeze"); return nil }

func (c brittleContainer) Kill(context.Context) error {
	c.note("kill")
	c.exit(emulator.Exit{Code: 137})
	return nil
}

func (c brittleContainer) Squeeze(_ context.Context, cpuMillis int64) error {
	c.note("squeeze %d", cpuMillis)
	if cpuMillis == 13 {
		return errBroken
	}
	return nil
}

// sabotaged is a world with a saboteur before it; what it warns of fails the test.
func sabotaged(t *testing.T) (*world, *emulator.Saboteur) {
	w := newWorld(t)
	s := emulator.NewSaboteur(func(model string, err error) { t.Errorf("%s: %v", model, err) })
	w.options = func(o *emulator.Options) {
		models := o.Models
		o.Runtime = s.Runtime(brittle{(*fakeRuntime)(w)})
		o.Prober = s.Prober(o.Prober)
		o.Stager = s.Stager(o.Stager, func() []*emulator.Model { return models })
	}
	return w, s
}

func set(t *testing.T, s *emulator.Saboteur, to emulator.Sabotage) {
	t.Helper()
	if err := s.Set(t.Context(), "iris-1", to); err != nil {
		t.Error(err)
	}
}

func replicaOf(number byte) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{172, 17, 0, 1 + number}), 8080)
}

func TestReadinessThatFailsOnRequestTakesTheModelOffItsRouteUntilItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := sabotaged(t)
		ctx, cancel := context.WithCancel(t.Context())
		wait := w.emulate(ctx, iris())
		time.Sleep(15 * time.Second)
		set(t, s, emulator.Sabotage{Readiness: true})
		time.Sleep(35 * time.Second) // three failures, 10 s apart
		synctest.Wait()
		if calls := w.noted(); calls[len(calls)-1] != "hold" {
			t.Errorf("calls are %v", calls)
		}
		set(t, s, emulator.Sabotage{})
		time.Sleep(15 * time.Second)
		synctest.Wait()
		if calls := w.noted(); calls[len(calls)-1] != "route 1 [172.17.0.2:8080]" || slices.Contains(calls, "stop") {
			t.Errorf("calls are %v", calls)
		}
		cancel()
		if err := wait(); err != nil {
			t.Fatal(err)
		}
		failed := slices.IndexFunc(facts[event.Probed](w), func(p event.Probed) bool { return !p.OK })
		if failed < 0 || !strings.Contains(facts[event.Probed](w)[failed].Outcome, "on request") {
			t.Errorf("no probe failed on request: %+v", facts[event.Probed](w))
		}
	})
}

func TestLivenessThatFailsOnRequestHasTheContainerStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := sabotaged(t)
		set(t, s, emulator.Sabotage{Liveness: true})
		during(t, w, iris(), 55*time.Second, func() {})
		// After 30 s every 10 s: the third failure is at 50 s.
		exits := facts[event.Exited](w)
		if len(exits) == 0 || exits[0].Ran != 50*time.Second || !strings.Contains(exits[0].Why, "liveness probe failed 3 times") {
			t.Errorf("exits are %+v", exits)
		}
	})
}

func TestAStagingThatIsSlowOnRequestIsOnTopOfItsOwnTimeAndEndsWithTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := sabotaged(t)
		set(t, s, emulator.Sabotage{Staging: time.Minute})
		begun := time.Now()
		during(t, w, iris(), 2*time.Minute, func() {})
		for _, e := range w.events.History() {
			if _, started := e.Fact.(event.Started); started && e.Time.Sub(begun) < time.Minute {
				t.Errorf("started after %s", e.Time.Sub(begun))
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w, s := sabotaged(t)
		set(t, s, emulator.Sabotage{Staging: time.Hour})
		during(t, w, iris(), time.Minute, func() {
			if calls := w.noted(); slices.Contains(calls, "stage") {
				t.Errorf("calls are %v", calls)
			}
		})
	})
}

func TestAStagingThatIsSlowOnRequestWaitsNoLongerOnceThatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := sabotaged(t)
		set(t, s, emulator.Sabotage{Staging: time.Hour})
		during(t, w, iris(), time.Minute, func() {
			set(t, s, emulator.Sabotage{})
			begun := time.Now()
			synctest.Wait()
			if calls := w.noted(); !slices.Contains(calls, "stage") || time.Since(begun) != 0 {
				t.Errorf("after %s calls are %v", time.Since(begun), calls)
			}
		})
	})
}

func TestASqueezeGivesNoContainerMoreThanItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := sabotaged(t)
		during(t, w, iris(), time.Second, func() { set(t, s, emulator.Sabotage{CPUMillis: 9000}) }) // it has 8000
		if calls := w.noted(); slices.ContainsFunc(calls, func(call string) bool { return strings.HasPrefix(call, "squeeze") }) {
			t.Errorf("calls are %v", calls)
		}
	})
}

func TestASqueezeHoldsForLaterContainersTooAndIsUndone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := sabotaged(t)
		set(t, s, emulator.Sabotage{CPUMillis: 100})
		during(t, w, iris(), time.Second, func() {
			w.containers[0].exit(emulator.Exit{Code: 1})
			time.Sleep(11 * time.Second) // the back-off
			synctest.Wait()
			set(t, s, emulator.Sabotage{CPUMillis: 100, Liveness: true}) // the same limit: nothing to do
			set(t, s, emulator.Sabotage{})
			set(t, s, emulator.Sabotage{})
		})
		squeezes := slices.DeleteFunc(w.noted(), func(call string) bool { return !strings.HasPrefix(call, "squeeze") })
		if want := []string{"squeeze 100", "squeeze 100", "squeeze 0"}; !slices.Equal(squeezes, want) {
			t.Errorf("got %v, want %v", squeezes, want)
		}
	})
}

func TestASqueezeThatFailsIsAnErrorThatIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := sabotaged(t)
		during(t, w, iris(), time.Second, func() {
			for range 2 {
				if err := s.Set(t.Context(), "iris-1", emulator.Sabotage{CPUMillis: 13}); !errors.Is(err, errBroken) {
					t.Errorf("got %v", err)
				}
			}
			set(t, s, emulator.Sabotage{})
		})
		squeezes := slices.DeleteFunc(w.noted(), func(call string) bool { return !strings.HasPrefix(call, "squeeze") })
		if want := []string{"squeeze 13", "squeeze 13"}; !slices.Equal(squeezes, want) {
			t.Errorf("got %v, want %v", squeezes, want)
		}
	})
}

func TestAKillFreezesFirstAndTheKubeletStartsTheContainerAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, s := sabotaged(t)
		during(t, w, iris(), time.Second, func() {
			strike := s.Kill(t.Context(), "iris-1", replicaOf(1))
			if calls := w.noted(); calls[len(calls)-1] != "freeze" {
				t.Errorf("calls are %v", calls)
			}
			strike()
			s.Close()
			time.Sleep(11 * time.Second)
			synctest.Wait()
		})
		exits := facts[event.Exited](w)
		if len(exits) != 2 || exits[0].Code != 137 || exits[0].Expected || exits[0].Why != "killed by the fault kill" || exits[1].Why != "" {
			t.Errorf("exits are %+v", exits)
		}
		if cards := facts[event.Failed](w); len(cards) == 0 || cards[0].Cause != event.CauseFault {
			t.Errorf("cards are %+v", cards)
		}
		s.Kill(t.Context(), "iris-1", replicaOf(1))() // it is gone: nothing happens
		if n := strings.Count(strings.Join(w.noted(), " "), "kill"); n != 1 {
			t.Errorf("%d were killed", n)
		}
	})
}
