package emulator_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// during runs a model for so long of the bubble's time, does something, lets it settle
// and ends it.
func during(t *testing.T, w *world, model *emulator.Model, runs time.Duration, then func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	wait := w.emulate(ctx, model)
	time.Sleep(runs)
	synctest.Wait()
	then()
	synctest.Wait()
	cancel()
	if err := wait(); err != nil {
		t.Fatal(err)
	}
}

func TestAContainerThatFailsItsLivenessProbeIsStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		begun := time.Now()
		alive := w.live
		w.live = func() emulator.ProbeResult {
			if time.Since(begun) < time.Minute {
				return alive()
			}
			return emulator.ProbeResult{Target: "GET /", Outcome: "500 Internal Server Error", Status: 500}
		}
		during(t, w, iris(), 85*time.Second, func() {})
		exits := facts[event.Exited](w)
		// After 30 s every 10 s: the third failure is at 80 s.
		if len(exits) != 2 || exits[0].Expected || exits[0].Why != "liveness probe failed 3 times: GET /: 500 Internal Server Error" || exits[0].Ran != 80*time.Second {
			t.Errorf("exits are %+v", exits)
		}
		if cards := facts[event.Failed](w); len(cards) != 1 || !strings.Contains(cards[0].Why, "liveness probe failed 3 times") {
			t.Errorf("cards are %+v", cards)
		}
		if calls := w.noted(); !slices.Equal(calls[3:8], []string{"start", "route 1 [172.17.0.2:8080]", "hold", "stop", "remove"}) {
			t.Errorf("calls are %v", calls)
		}
	})
}

func TestLivenessIsOffWhereTheClusterHasNoneOrTheUserTurnsItOff(t *testing.T) {
	for name, change := range map[string]func(*emulator.Model){
		"deployed": func(m *emulator.Model) { m.Fidelity = emulator.Deployed },
		"off":      func(m *emulator.Model) { m.Liveness.Kind = emulator.CheckNone },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.live = func() emulator.ProbeResult { t.Error("it was asked"); return emulator.ProbeResult{} }
				m := iris()
				change(m)
				during(t, w, m, time.Hour, func() {})
			})
		})
	}
}

func TestAModelThatStopsBeingReadyGetsNoRequestsUntilItIsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ready := w.probe
		w.probe = func(attempt int) emulator.ProbeResult {
			if attempt >= 3 && attempt <= 6 {
				return emulator.ProbeResult{Target: "GET /v1/models/iris-1", Outcome: "503 Service Unavailable", Status: 503}
			}
			return ready(attempt)
		}
		during(t, w, iris(), 2*time.Minute, func() {})
		wantPhases(t, w, event.PhasePending, event.PhaseStarting, event.PhaseWaiting, event.PhaseReady, event.PhaseWaiting, event.PhaseReady, event.PhaseStopping, event.PhaseStopped)
		if calls := w.noted(); !slices.Equal(calls[3:8], []string{"start", "route 1 [172.17.0.2:8080]", "hold", "route 1 [172.17.0.2:8080]", "hold"}) {
			t.Errorf("calls are %v", calls)
		}
	})
}

func TestARetryCutsTheBackOffShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run = func(c *fakeContainer) {
			if c.number < 3 {
				c.exit(emulator.Exit{Code: 1})
			}
		}
		w.probe = func(int) emulator.ProbeResult { return emulator.ProbeResult{Outcome: "connection refused"} }
		during(t, w, iris(), 5*time.Second, func() {
			if err := w.emulator.Retry("iris-1"); err != nil {
				t.Error(err)
			}
			if err := w.emulator.Retry("other"); err == nil {
				t.Error("an unknown model is retried")
			}
		})
		if len(w.specs) != 3 {
			t.Errorf("%d containers were started", len(w.specs))
		}
		var waits []*time.Time
		for _, f := range facts[event.PodChanged](w) {
			if f.Phase == event.PhaseBackOff {
				waits = append(waits, f.RetryAt)
			}
		}
		if len(waits) != 2 || waits[0] != nil || waits[1] == nil {
			t.Errorf("back-offs end at %v", waits)
		}
	})
}

func TestUntilTheDeadlineACrashingModelIsStartedAgainAndThenFailsWithItsLastEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.probe = func(int) emulator.ProbeResult { return emulator.ProbeResult{Outcome: "connection refused"} }
		w.run = func(c *fakeContainer) {
			fmt.Fprintln(c.write, "no module")
			c.exit(emulator.Exit{Code: 1})
		}
		err := w.emulate(t.Context(), iris())()
		var failure *emulator.Failure
		if !errors.As(err, &failure) || !strings.HasPrefix(failure.What, "was not ready within the deployment timeout of 10m0s") || !strings.Contains(failure.Why, "exited with code 1: no module") {
			t.Errorf("failure is %+v", failure)
		}
		// 0, 0, 10, 30, 70, 150, 310 s; the next would be at 610 s.
		if len(w.specs) != 7 {
			t.Errorf("%d containers were started", len(w.specs))
		}
		if cards := facts[event.Failed](w); len(cards) != 8 {
			t.Errorf("%d cards", len(cards))
		}
	})
}

func TestEveryReadyReplicaIsRoutedAndOneThatEndsLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run = func(c *fakeContainer) {
			if c.number == 1 {
				time.Sleep(time.Minute)
				c.exit(emulator.Exit{Code: 1})
			}
		}
		m := iris()
		m.Replicas = 2
		during(t, w, m, 2*time.Minute, func() {})
		calls := w.noted()
		one, both := "route 1 [172.17.0.3:8080]", 0
		for _, c := range calls {
			if strings.HasPrefix(c, "route 1 [172.17.0.") && strings.Contains(c, " 172") {
				both++
			}
		}
		if both != 2 || !slices.Contains(calls, one) {
			t.Errorf("calls are %v", calls)
		}
		if len(facts[event.Failed](w)) != 0 {
			t.Error("a failure is told though one replica serves")
		}
		names := map[string]bool{}
		for _, f := range facts[event.Started](w) {
			names[f.Pod] = true
		}
		if len(names) != 2 || len(w.specs) != 3 || w.specs[0].Hostname == w.specs[1].Hostname {
			t.Errorf("pods are %v, %d containers", names, len(w.specs))
		}
	})
}

func TestProductionsGraceIsQuietAndTheRevisionsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.options = func(o *emulator.Options) { o.ProductionGrace = true }
		w.onStop = func(*fakeContainer) {}
		begun := time.Now()
		if err := until(t, w, iris()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took != 330*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestRequestsThatOutliveTheGracePeriodAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.drain = func(ctx context.Context) { <-ctx.Done() }
		if err := until(t, w, iris()); err != nil {
			t.Fatal(err)
		}
		notices := facts[event.Notice](w)
		if len(notices) != 1 || !strings.Contains(notices[0].Text, "after 10s: the container gets its SIGTERM all the same") {
			t.Errorf("notices are %+v", notices)
		}
	})
}

func TestThePlaceOfTheArtifactIsTheFidelitys(t *testing.T) {
	for fidelity, want := range map[emulator.Fidelity]string{
		emulator.Documented: "STORAGE_URI=gs://b/a/model", emulator.Deployed: "STORAGE_URI=/mnt/models",
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			m := iris()
			m.Fidelity = fidelity
			if err := until(t, w, m); err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(w.specs[0].Env, want) {
				t.Errorf("%s: environment is %q", fidelity, w.specs[0].Env)
			}
		})
	}
}
