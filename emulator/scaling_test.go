package emulator_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

// scaling is a model that scales by concurrency, 7 requests a replica.
func scaling(least, most int) *emulator.Model {
	m := iris()
	m.Replicas, m.MaxReplicas, m.ScaleToZero = least, most, least == 0
	m.Deployment.AutoscalingPolicy = &merlin.AutoscalingPolicy{MetricsType: merlin.MetricConcurrency, TargetValue: 10}
	return m
}

// demands makes the port's view of the traffic: what at tells, by the time since now.
func (w *world) demands(at func(passed time.Duration) float64) {
	begun := time.Now()
	w.option(func(o *emulator.Options) {
		o.Demand = func(string) emulator.Demand { return emulator.Demand{Concurrency: at(time.Since(begun))} }
	})
}

func (w *world) option(set func(o *emulator.Options)) {
	before := w.options
	w.options = func(o *emulator.Options) { before(o); set(o) }
}

// changes are the decisions for another number of replicas: "1->3".
func (w *world) changes() []string {
	var all []string
	for _, f := range facts[event.Scaled](w) {
		if f.From != f.Desired {
			all = append(all, fmt.Sprintf("%d->%d", f.From, f.Desired))
		}
	}
	return all
}

// pods are the names of those that entered a phase, in that order.
func (w *world) pods(phase event.Phase) []string {
	var all []string
	for _, f := range facts[event.PodChanged](w) {
		if f.Phase == phase {
			all = append(all, f.Pod)
		}
	}
	return all
}

func (w *world) count(call string) int {
	n := 0
	for _, c := range w.noted() {
		if c == call {
			n++
		}
	}
	return n
}

func TestABurstStartsReplicasAndItsEndTakesTheYoungestAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.demands(func(passed time.Duration) float64 {
			if passed > time.Minute && passed < 90*time.Second {
				return 40
			}
			return 1
		})
		during(t, w, scaling(1, 3), 5*time.Minute, func() {})
		if got := w.changes(); !slices.Equal(got, []string{"1->2", "2->3", "3->1"}) && !slices.Equal(got, []string{"1->3", "3->1"}) {
			t.Errorf("changes are %v", got)
		}
		calls := w.noted()
		if !slices.Contains(calls, "route 1 [172.17.0.2:8080 172.17.0.3:8080 172.17.0.4:8080]") {
			t.Errorf("calls are %v", calls)
		}
		started := w.pods(event.PhaseReady)
		if gone := w.pods(event.PhaseStopping); len(started) != 3 || len(gone) != 2 || slices.Contains(gone, started[0]) {
			t.Errorf("of %v these are gone: %v", started, gone)
		}
		if w.phases()[len(w.phases())-3] != event.PhaseReady || len(facts[event.Failed](w)) != 0 {
			t.Errorf("phases are %v", w.phases())
		}
		var panics, stays bool
		for _, f := range facts[event.Scaled](w) {
			panics, stays = panics || f.Panic, stays || !f.Panic
			if f.Metric != "concurrency" || f.Target != 7 || f.Why == "" {
				t.Errorf("decision is %+v", f)
			}
		}
		if !panics || !stays {
			t.Error("it panics never, or always")
		}
	})
}

func TestAReplicaThatIsTakenAwayGetsNoRequestsAndFinishesThoseItHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		busy := make(chan struct{})
		w.drain = func(ctx context.Context) {
			select {
			case <-busy:
			case <-ctx.Done():
			}
		}
		w.demands(func(passed time.Duration) float64 {
			if passed < time.Minute {
				return 14
			}
			return 0
		})
		during(t, w, scaling(1, 2), 4*time.Minute, func() {
			calls := w.noted()
			out := slices.Index(calls, "drain")
			if out < 0 || calls[out-1] != "route 1 [172.17.0.2:8080]" || slices.Contains(calls, "stop") {
				t.Errorf("calls are %v", calls)
			}
			close(busy)
			synctest.Wait()
			if w.count("stop") != 1 || w.count("remove") != 1 {
				t.Errorf("calls are %v", w.noted())
			}
		})
		for _, n := range facts[event.Notice](w) {
			t.Errorf("notice: %s", n.Text)
		}
	})
}

func TestANewNeedKeepsAReplicaThatIsNotStoppedYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.drain = func(ctx context.Context) { <-ctx.Done() }
		w.demands(func(passed time.Duration) float64 {
			if passed < time.Minute || passed > 150*time.Second {
				return 14
			}
			return 0
		})
		during(t, w, scaling(1, 2), 4*time.Minute, func() {
			if got := w.changes(); !slices.Equal(got, []string{"1->2", "2->1", "1->2"}) {
				t.Errorf("changes are %v", got)
			}
			if len(w.specs) != 2 || slices.Contains(w.noted(), "stop") {
				t.Errorf("%d containers, calls %v", len(w.specs), w.noted())
			}
			if calls := w.noted(); calls[len(calls)-1] != "route 1 [172.17.0.2:8080 172.17.0.3:8080]" {
				t.Errorf("calls are %v", calls)
			}
		})
	})
}

func TestAReplicaThatIsNotReadyLeavesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.demands(func(passed time.Duration) float64 {
			if passed < time.Minute {
				return 14
			}
			return 0
		})
		w.run = func(c *fakeContainer) {
			if c.number == 1 { // from then on it is in back-off, or ends again
				time.Sleep(50 * time.Second)
			}
			if c.number != 2 {
				c.exit(emulator.Exit{Code: 1})
			}
		}
		during(t, w, scaling(1, 2), 4*time.Minute, func() {
			first := w.pods(event.PhaseStarting)[0]
			if gone := w.pods(event.PhaseStopping); len(gone) != 1 || gone[0] != first {
				t.Errorf("gone are %v, not %s", gone, first)
			}
		})
	})
}

func TestAFixedNumberOfReplicasIsNeverLookedAt(t *testing.T) {
	for name, m := range map[string]*emulator.Model{"of itself": iris(), "of the user's": scaling(2, 2)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.demands(func(time.Duration) float64 { t.Error("it is looked at"); return 0 })
				during(t, w, m, time.Hour, func() {})
				if len(facts[event.Autoscaler](w)) != 0 {
					t.Error("an autoscaler is told of")
				}
			})
		})
	}
}

func TestWithoutARequestItGoesToZeroAndTheNextOneStartsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		looks := 0
		w.demands(func(time.Duration) float64 { looks++; return 0 })
		ready := w.probe(1)
		var woken time.Time
		after := func(d time.Duration) emulator.ProbeResult {
			if time.Since(woken) < d {
				return emulator.ProbeResult{Outcome: "connection refused"}
			}
			return ready
		}
		during(t, w, scaling(0, 2), 20*time.Minute, func() {
			if phases := w.phases(); phases[len(phases)-1] != event.PhaseIdle || w.left != 0 {
				t.Fatalf("phases are %v, %d containers", phases, w.left)
			}
			seen := looks
			time.Sleep(time.Hour)
			synctest.Wait()
			if looks != seen {
				t.Error("at zero it is looked at")
			}
			woken = time.Now()
			w.starting = func(created func()) {
				time.Sleep(100 * time.Millisecond)
				created()
				time.Sleep(200 * time.Millisecond)
			}
			w.connect = func() emulator.ProbeResult { return after(400 * time.Millisecond) }
			w.probe = func(int) emulator.ProbeResult { return after(600 * time.Millisecond) }
			w.emulator.Wanted("iris-1")
			w.emulator.Wanted("iris-1") // all that wait call
			w.emulator.Wanted("other")
			time.Sleep(time.Second)
			w.emulator.Waited("iris-1", emulator.Wait{Arrived: woken, Ended: time.Now(), Answered: true})
			w.emulator.Waited("iris-1", emulator.Wait{Arrived: woken, Ended: time.Now(), Answered: true})
			synctest.Wait()
			starts := facts[event.ColdStart](w)
			if len(starts) != 1 {
				t.Fatalf("cold starts are %+v", starts)
			}
			c := starts[0]
			if c.Create != 100*time.Millisecond || c.Process != 200*time.Millisecond || c.Total != time.Second {
				t.Errorf("cold start is %+v", c)
			}
			// A look every 2 ms; a probe after at most 50 ms.
			if c.Listening < 100*time.Millisecond || c.Listening > 102*time.Millisecond || c.Listening+c.Ready < 300*time.Millisecond || c.Listening+c.Ready > 350*time.Millisecond {
				t.Errorf("cold start is %+v", c)
			}
			if c.Create+c.Process+c.Listening+c.Ready+c.Answer != c.Total {
				t.Errorf("its parts are no whole: %+v", c)
			}
			phases := w.phases()
			if got := phases[len(phases)-4:]; !slices.Equal(got, []event.Phase{event.PhaseIdle, event.PhaseStarting, event.PhaseWaiting, event.PhaseReady}) {
				t.Errorf("phases are %v", got)
			}
			if looks == seen {
				t.Error("it is not looked at any more")
			}
		})
		// 60 s without a request, then the platform's 10 minutes.
		for _, e := range w.events.History() {
			if f, ok := e.Fact.(event.Scaled); ok && f.From == 1 && f.Desired == 0 && !strings.Contains(f.Why, "kept for 10m0s") {
				t.Errorf("decision is %+v", f)
			}
		}
		// One that waits is 1 at a time, over a new window: ceil(1/7).
		if got := w.changes(); !slices.Equal(got, []string{"1->0", "0->1"}) {
			t.Errorf("changes are %v", got)
		}
	})
}

func TestMerlinsDefaultMinimumOfZeroKeepsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.demands(func(time.Duration) float64 { return 0 })
		m := scaling(0, 2)
		m.ScaleToZero = false
		during(t, w, m, 2*time.Hour, func() {
			if w.left != 1 {
				t.Errorf("%d containers run", w.left)
			}
		})
	})
}

func TestARequestThatComesAsItGoesToZeroIsNotLeftWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		missed := false
		w.demands(func(time.Duration) float64 {
			calls := w.noted()
			if last := calls[len(calls)-1]; !missed && (last == "hold" || last == "drain") {
				missed = true
				return 1
			}
			return 0
		})
		busy := make(chan struct{})
		w.drain = func(ctx context.Context) { // the replica has a request still
			select {
			case <-busy:
			case <-ctx.Done():
			}
		}
		during(t, w, scaling(0, 2), 12*time.Minute, func() {
			close(busy)
			if got := w.changes(); !slices.Equal(got, []string{"1->0", "0->1"}) || len(w.specs) != 1 || slices.Contains(w.noted(), "stop") {
				t.Errorf("changes are %v, %d containers, calls %v", got, len(w.specs), w.noted())
			}
			if phases := w.phases(); phases[len(phases)-1] != event.PhaseReady || len(facts[event.ColdStart](w)) != 0 {
				t.Errorf("phases are %v", phases)
			}
		})
	})
}

func TestAColdStartIsTheOneOfAClientThatStayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.demands(func(time.Duration) float64 { return 0 })
		w.starting = func(created func()) { time.Sleep(100 * time.Millisecond); created() }
		wake := func(waits ...emulator.Wait) {
			w.emulator.Wanted("iris-1")
			time.Sleep(time.Second)
			for _, wait := range waits {
				w.emulator.Waited("iris-1", wait)
			}
			synctest.Wait()
		}
		during(t, w, scaling(0, 2), 20*time.Minute, func() {
			now := time.Now()
			wake(
				emulator.Wait{Arrived: now, Ended: now.Add(time.Millisecond)},                           // it left
				emulator.Wait{Arrived: now.Add(1), Ended: now.Add(2 * time.Second), Answered: true},     // it stayed
				emulator.Wait{Arrived: now.Add(time.Second), Ended: now.Add(time.Hour), Answered: true}, // none is waited for
			)
			if c := facts[event.ColdStart](w); len(c) != 1 || c[0].Total != 2*time.Second {
				t.Errorf("cold starts are %+v", c)
			}
			time.Sleep(20 * time.Minute)
			synctest.Wait()
			now = time.Now()
			wake(emulator.Wait{Arrived: now, Ended: now})
			// This one waited for something else, long after.
			w.emulator.Waited("iris-1", emulator.Wait{Arrived: now.Add(time.Minute), Ended: now.Add(time.Hour), Answered: true})
			synctest.Wait()
			if c := facts[event.ColdStart](w); len(c) != 1 {
				t.Errorf("cold starts are %+v", c)
			}
		})
	})
}

func TestACrashLoopStartsNoMoreReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run = func(c *fakeContainer) {
			if c.number == 1 {
				time.Sleep(time.Minute)
			}
			c.exit(emulator.Exit{Code: 1})
		}
		served := w.probe
		w.probe = func(attempt int) emulator.ProbeResult {
			if attempt == 1 {
				return served(1)
			}
			return emulator.ProbeResult{Outcome: "connection refused"}
		}
		w.demands(func(passed time.Duration) float64 {
			if passed > time.Minute {
				return 100 // they wait
			}
			return 1
		})
		during(t, w, scaling(1, 5), 3*time.Minute, func() {})
		if names := w.pods(event.PhaseStarting); len(slices.Compact(slices.Clone(names))) != 1 {
			t.Errorf("pods are %v", names)
		}
		if got := w.changes(); len(got) != 0 {
			t.Errorf("changes are %v", got)
		}
		last := facts[event.Scaled](w)
		if f := last[len(last)-1]; !strings.Contains(f.Why, "none of those there comes up") {
			t.Errorf("decision is %+v", f)
		}
	})
}

func TestAReplicaThatCrashesAsItIsAddedWaitsAndIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run = func(c *fakeContainer) {
			if c.number > 1 {
				c.exit(emulator.Exit{Code: 1})
			}
		}
		w.demands(func(passed time.Duration) float64 { return 10 })
		during(t, w, scaling(1, 2), 8*time.Second, func() {
			// 0 and 10 s: the second waits for the latter.
			if len(w.specs) != 3 || len(facts[event.Failed](w)) != 0 {
				t.Errorf("%d containers, failures %+v", len(w.specs), facts[event.Failed](w))
			}
			if err := w.emulator.Retry("iris-1"); err != nil {
				t.Error(err)
			}
			synctest.Wait()
			if len(w.specs) != 4 {
				t.Errorf("%d containers", len(w.specs))
			}
			if phases := w.phases(); phases[len(phases)-1] != event.PhaseReady {
				t.Errorf("phases are %v", phases)
			}
		})
	})
}

func TestAStopWhileReplicasComeAndGoLeavesNothing(t *testing.T) {
	for name, at := range map[string]time.Duration{
		"as they start": time.Minute + time.Second, "as they drain": 150 * time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.drain = func(ctx context.Context) { <-ctx.Done() }
				w.starting = func(created func()) { time.Sleep(10 * time.Second); created() }
				w.demands(func(passed time.Duration) float64 {
					if passed > 40*time.Second && passed < 70*time.Second {
						return 40
					}
					return 1
				})
				during(t, w, scaling(1, 3), at, func() {
					if len(w.changes()) == 0 {
						t.Error("nothing has changed")
					}
				})
				if phases := w.phases(); phases[len(phases)-1] != event.PhaseStopped {
					t.Errorf("phases are %v", phases)
				}
			})
		})
	}
}

func TestAnIdleModelIsStoppedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.demands(func(time.Duration) float64 { return 0 })
		var stops time.Time
		during(t, w, scaling(0, 1), time.Hour, func() { stops = time.Now() })
		if took := time.Since(stops); took != 0 {
			t.Errorf("it took %s", took)
		}
		wantPhases(t, w, event.PhasePending, event.PhaseStarting, event.PhaseWaiting, event.PhaseReady, event.PhaseIdle, event.PhaseStopped)
	})
}

func TestFasterTimeIsForTheAutoscalerAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.demands(func(time.Duration) float64 { return 0 })
		w.option(func(o *emulator.Options) { o.TimeScale = 60 })
		// 60 s and 10 minutes are 11 s.
		during(t, w, scaling(0, 1), 12*time.Second, func() {
			if phases := w.phases(); phases[len(phases)-1] != event.PhaseIdle {
				t.Errorf("phases are %v", phases)
			}
		})
		if f := facts[event.Autoscaler](w); len(f) != 1 || f[0] != (event.Autoscaler{Class: "kpa", Metric: "concurrency", Target: 7, Max: 1, TimeScale: 60}) {
			t.Errorf("autoscaler is %+v", f)
		}
	})
}

func TestReplicasScaleByTheirCPUAndMemory(t *testing.T) {
	for name, row := range map[string]struct {
		policy merlin.AutoscalingPolicy
		usage  event.Usage
		want   string
		why    string
	}{
		// 500m are asked for: 0.6 cores are 120 %, 120/60 = 2.
		"cpu": {merlin.AutoscalingPolicy{MetricsType: merlin.MetricCPU, TargetValue: 60}, event.Usage{CPU: 0.6}, "1->2", "CPU at 120 % of its request, target 60 %"},
		// 500Mi are asked for, 40 % are 200Mi: 600/200 = 3.
		"memory": {merlin.AutoscalingPolicy{MetricsType: merlin.MetricMemory, TargetValue: 40}, event.Usage{Memory: 600 << 20}, "1->3", "memory 600Mi each, target 200Mi"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.demands(func(time.Duration) float64 { t.Error("requests are of no interest"); return 0 })
				w.run = func(c *fakeContainer) {
					for {
						select {
						case c.uses <- row.usage:
						case <-c.ended:
							return
						}
						select {
						case <-time.After(time.Second):
						case <-c.ended:
							return
						}
					}
				}
				m := scaling(1, 4)
				m.Deployment.AutoscalingPolicy = &row.policy
				during(t, w, m, 40*time.Second, func() {})
				if got := w.changes(); len(got) == 0 || got[0] != row.want {
					t.Errorf("changes are %v", got)
				}
				if f := facts[event.Scaled](w)[0]; f.Why != row.why {
					t.Errorf("decision is %+v", f)
				}
			})
		})
	}
}
