package emulator_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

func TestAChildThatIsOOMKilledIsToldAndCountedWhileItsContainerLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run = func(c *fakeContainer) {
			if c.number > 1 {
				return
			}
			c.uses <- event.Usage{Memory: 70 << 20}
			c.ooms <- struct{}{}
			time.Sleep(time.Minute)
			c.ooms <- struct{}{}
			time.Sleep(time.Minute)
			c.exit(emulator.Exit{Code: 1, OOMKilled: true})
		}
		during(t, w, iris(), 3*time.Minute, func() {})
		told := facts[event.OutOfMemory](w)
		if len(told) != 2 || told[1].Kills != 2 || told[0].MemoryPeak != 1000<<20 || told[0].MemoryLimit != 1000<<20 || told[0].Pod == "" {
			t.Errorf("told are %+v", told)
		}
		if exit := facts[event.Exited](w)[0]; exit.OOMKills != 2 || exit.Code != 1 || !exit.OOMKilled || exit.MemoryPeak != 1000<<20 {
			t.Errorf("the exit is %+v", exit)
		}
	})
}

func TestAnOOMKillThatEndsTheContainerIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run = func(c *fakeContainer) {
			if c.number == 1 {
				c.ooms <- struct{}{}
				time.Sleep(70 * time.Millisecond)
				c.exit(emulator.Exit{Code: 137, OOMKilled: true})
			}
		}
		during(t, w, iris(), time.Minute, func() {})
		if told := facts[event.OutOfMemory](w); len(told) != 0 {
			t.Errorf("told beside the exit: %+v", told)
		}
		if exit := facts[event.Exited](w)[0]; exit.OOMKills != 1 {
			t.Errorf("the exit is %+v", exit)
		}
	})
}

func TestAContainerThatEndsWithTheEngineIsNoCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.options = firstExitFails
		w.run = func(c *fakeContainer) {
			if c.number == 1 {
				time.Sleep(time.Minute)
				w.refuse(fmt.Errorf("create the container: %w", emulator.ErrEngineAway))
				c.exit(emulator.Exit{Code: 143, WithEngine: true})
				w.trouble <- event.Engine{Error: "connection refused"}
				time.Sleep(5 * time.Minute)
				w.refuse(nil)
				w.trouble <- event.Engine{Answers: true, Ended: 1}
			}
		}
		during(t, w, iris(), 7*time.Minute, func() {})
		if len(w.specs) != 2 {
			t.Errorf("%d containers were started", len(w.specs))
		}
		if exit := facts[event.Exited](w)[0]; !exit.WithEngine {
			t.Errorf("the exit is %+v", exit)
		}
		for _, f := range facts[event.PodChanged](w) {
			if f.Phase == event.PhaseBackOff || f.Restarts != 0 {
				t.Errorf("the pod is %+v", f)
			}
		}
		if cards := facts[event.Failed](w); len(cards) != 0 {
			t.Errorf("failures are told: %+v", cards)
		}
		if told := facts[event.Engine](w); len(told) != 2 || told[0].Answers || !told[1].Answers {
			t.Errorf("the Engine is told as %+v", told)
		}
	})
}

func TestNoContainerIsKilledForItsLivenessWhileTheEngineIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		alive := w.live
		var away atomic.Bool
		w.live = func() emulator.ProbeResult {
			if away.Load() {
				return emulator.ProbeResult{Target: "GET /", Outcome: "connection refused"}
			}
			return alive()
		}
		w.run = func(*fakeContainer) {
			time.Sleep(time.Minute)
			away.Store(true) // its published port goes with the Engine
			w.trouble <- event.Engine{Error: "connection refused"}
			time.Sleep(2 * time.Minute)
			away.Store(false)
			w.trouble <- event.Engine{Answers: true, Running: 1}
		}
		during(t, w, iris(), 5*time.Minute, func() {})
		if len(w.specs) != 1 {
			t.Errorf("%d containers were started", len(w.specs))
		}
	})
}

// sleeper is a machine whose clock jumps.
type sleeper struct{ slept atomic.Int64 }

func (s *sleeper) now() time.Time          { return time.Now().Add(time.Duration(s.slept.Load())) }
func (s *sleeper) sleep(d time.Duration)   { s.slept.Add(int64(d)) }
func (s *sleeper) use(o *emulator.Options) { o.Clock = s.now }
func refused(target string) emulator.ProbeResult {
	return emulator.ProbeResult{Target: target, Outcome: "connection refused"}
}

func TestProbesThatFailAcrossASleepDoNotCount(t *testing.T) {
	for name, slept := range map[string]bool{"asleep": true, "awake": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, machine := newWorld(t), &sleeper{}
				w.options = machine.use
				alive, attempts := w.live, 0
				w.live = func() emulator.ProbeResult {
					attempts++
					switch {
					case attempts < 4 || attempts > 6:
						return alive()
					case attempts == 5 && slept:
						machine.sleep(time.Hour)
					}
					return refused("GET /")
				}
				during(t, w, iris(), 5*time.Minute, func() {})
				if restarted := len(w.specs) > 1; restarted == slept {
					t.Errorf("started again: %t", restarted)
				}
				if told := facts[event.Slept](w); (len(told) == 1 && told[0].Took > 59*time.Minute) != slept {
					t.Errorf("told is %+v", told)
				}
			})
		})
	}
}

func TestTheDeploymentTimeoutDoesNotCountASleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, machine := newWorld(t), &sleeper{}
		w.options = machine.use
		w.probe = func(int) emulator.ProbeResult { return refused("GET /v1/models/iris-1") }
		begun := time.Now()
		go func() {
			time.Sleep(5 * time.Minute)
			machine.sleep(8 * time.Hour)
		}()
		if err := w.emulate(t.Context(), iris())(); err == nil {
			t.Error("it never failed")
		}
		if took := time.Since(begun); took < 10*time.Minute || took > 11*time.Minute {
			t.Errorf("awake it had %s", took)
		}
		told := facts[event.Deploying](w)
		if len(told) != 2 || told[1].Deadline.Sub(told[0].Deadline) < 8*time.Hour-time.Minute {
			t.Errorf("deadlines are %+v", told)
		}
	})
}

func TestAMachineWhoseTimersRanOnInItsSleepDoesNotFailTheDeployment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // as Windows: all timers are due at once
		w, machine := newWorld(t), &sleeper{}
		w.options = func(o *emulator.Options) { o.Clock, o.Deadline = machine.now, 25*time.Second }
		w.probe = func(int) emulator.ProbeResult {
			if machine.slept.Load() > 0 {
				return emulator.ProbeResult{OK: true, Outcome: "200 OK"}
			}
			return refused("GET /")
		}
		go func() {
			time.Sleep(25*time.Second - time.Millisecond)
			machine.sleep(time.Hour)
		}()
		during(t, w, iris(), time.Minute, func() {})
	})
}

func TestAFullDiskIsToldAsThatWithWhatToDo(t *testing.T) {
	engineFull := fmt.Errorf("write /data/layer: no space left on device")
	for name, test := range map[string]struct {
		script func(*world)
		what   string
		next   string
	}{
		"build": {func(w *world) {
			w.image = func(func(event.Fact)) (emulator.Image, error) { return emulator.Image{}, engineFull }
		}, "cannot be built: the disk of the Docker Engine is full", "docker system prune"},
		"pull": {func(w *world) {
			w.image = func(func(event.Fact)) (emulator.Image, error) {
				return emulator.Image{}, &emulator.Failure{What: "its image cannot be pulled", Why: engineFull.Error(), Next: "log in"}
			}
		}, "its image cannot be pulled: the disk of the Docker Engine is full", "docker system df"},
		"create":   {func(w *world) { w.startError = engineFull }, "cannot be started: the disk of the Docker Engine is full", "docker system prune"},
		"artifact": {func(w *world) { w.stageError = fmt.Errorf("copy /a: %w", syscall.ENOSPC) }, "cannot have its artifact staged: the disk of this machine is full", "free space"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				test.script(w)
				model := iris()
				model.Build = &emulator.Build{}
				_ = w.emulate(t.Context(), model)()
				cards := facts[event.Failed](w)
				if len(cards) != 1 || cards[0].What != test.what || !strings.Contains(cards[0].Next, test.next) {
					t.Errorf("cards are %+v", cards)
				}
			})
		})
	}
}

func TestWithoutLimitsAContainerHasNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.options = func(o *emulator.Options) { o.NoLimits = true }
		if err := until(t, w, iris()); err != nil {
			t.Fatal(err)
		}
		if s := w.specs[0]; s.CPUMillis != 0 || s.CPULimit != "" || s.MemoryBytes != 0 || s.MemoryLimit != "" {
			t.Errorf("limits are %+v", s)
		}
	})
}

func TestAContainerNearItsLimitsIsToldSoOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run = func(c *fakeContainer) {
			for _, memory := range []int64{800, 920, 950, 930, 700, 910} { // of 1000 MiB
				c.uses <- event.Usage{Memory: memory << 20}
			}
			for range 20 {
				c.uses <- event.Usage{ThrottledShare: 0.5}
			}
			for range 4 {
				c.uses <- event.Usage{ThrottledShare: 0.9}
				c.uses <- event.Usage{}
			}
		}
		during(t, w, iris(), time.Second, func() {})
		var warned []string
		for _, n := range facts[event.Notice](w) {
			warned = append(warned, n.Text)
		}
		if len(warned) != 3 || !strings.Contains(warned[0], "takes 920 MiB of memory, 92 % of its limit of 1000 MiB") ||
			!strings.Contains(warned[1], "910 MiB") || !strings.Contains(warned[2], "held back by its CPU limit of 8 in 50 %") {
			t.Errorf("warned is %q", warned)
		}
	})
}

func TestABadEndIsToldWithItsCauseAndItsRequests(t *testing.T) {
	ignored := func(*fakeContainer) {}
	shell := emulator.Image{ID: "sha256:1", Entrypoint: []string{"/bin/sh", "-c", "python serve.py"}}
	for name, test := range map[string]struct {
		image  emulator.Image
		onStop func(*fakeContainer)
		cut    int
		want   *event.Terminated
		says   string
	}{
		"a good one": {},
		"one that is told late": {onStop: func(c *fakeContainer) {
			time.Sleep(11 * time.Second) // of the bubble: the Engine's, not the model's
			c.exit(emulator.Exit{Code: 143})
		}},
		"SIGTERM ignored": {
			onStop: ignored, want: &event.Terminated{Killed: true}, says: "handle SIGTERM",
		},
		"by a shell": {
			image: shell, onStop: ignored, cut: 2,
			want: &event.Terminated{Killed: true, Cut: 2}, says: `"/bin/sh -c" is a shell as PID 1`,
		},
		"requests dropped": {cut: 3, want: &event.Terminated{Cut: 3}, says: "finish what runs"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.image = func(func(event.Fact)) (emulator.Image, error) { return test.image, nil }
				w.cut = test.cut
				if test.onStop != nil {
					w.onStop = test.onStop
				}
				if err := until(t, w, iris()); err != nil {
					t.Fatal(err)
				}
				told := facts[event.Terminated](w)
				if test.want == nil {
					if len(told) != 0 {
						t.Errorf("told are %+v", told)
					}
					return
				}
				if len(told) != 1 || told[0].Killed != test.want.Killed || told[0].Cut != test.want.Cut ||
					told[0].Grace != 10*time.Second || !strings.Contains(told[0].Next, test.says) {
					t.Errorf("told are %+v", told)
				}
			})
		})
	}
}

func TestAContainerThatFailsItsLivenessProbeTakesItsRequestsWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.live = func() emulator.ProbeResult { return refused("GET /") }
		w.cut = 1
		during(t, w, iris(), 55*time.Second, func() {})
		// The second is that of the end of the session.
		if told := facts[event.Terminated](w); len(told) != 2 || told[0].Cut != 1 || told[0].Killed {
			t.Errorf("told are %+v", told)
		}
	})
}

func TestAContainerThatCannotBeStartedAgainIsToldWithWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run = func(c *fakeContainer) {
			time.Sleep(time.Second)
			w.refuse(errors.New("mkdir /data/x: no space left on device"))
			c.exit(emulator.Exit{Code: 1})
		}
		during(t, w, iris(), 5*time.Second, func() {})
		cards := facts[event.Failed](w)
		if last := cards[len(cards)-1]; last.What != "cannot be started: the disk of the Docker Engine is full" {
			t.Errorf("cards are %+v", cards)
		}
	})
}
