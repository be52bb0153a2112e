package emulator_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// python is a model whose sources are copied into its image.
func python() *emulator.Model {
	m := iris()
	m.Deployment.Image = ""
	m.ModelDir = "/repo/model"
	m.Build = &emulator.Build{Context: "/repo", Dockerfile: "/repo/Dockerfile"}
	return m
}

// repo runs a model in a bubble whose files a test edits.
type repo struct {
	*world
	t      *testing.T
	cancel context.CancelFunc
	wait   func() error
}

func edit(t *testing.T, w *world, m *emulator.Model) *repo {
	t.Helper()
	w.edits = make(chan emulator.Edits)
	w.copies = []emulator.Copy{{From: "*.py", To: "/app/"}}
	ctx, cancel := context.WithCancel(t.Context())
	r := &repo{world: w, t: t, cancel: cancel, wait: w.emulate(ctx, m)}
	w.edits <- emulator.Edits{First: true, Sources: "s0"}
	synctest.Wait()
	return r
}

// save reports that files were written, and lets the model settle.
func (r *repo) save(sources string, paths ...string) {
	r.t.Helper()
	e := emulator.Edits{Sources: sources}
	for _, p := range paths {
		e.Files = append(e.Files, emulator.Edit{Path: p, Ignored: strings.HasPrefix(p, "/repo/model/")})
	}
	r.edits <- e
	synctest.Wait()
}

func (r *repo) end() {
	r.t.Helper()
	r.cancel()
	if err := r.wait(); err != nil {
		r.t.Error(err)
	}
}

// calls are those of some kinds.
func (r *repo) only(kinds ...string) []string {
	var some []string
	for _, call := range r.noted() {
		if slices.Contains(kinds, strings.Fields(call)[0]) {
			some = append(some, call)
		}
	}
	return some
}

func TestASavedSourceIsServedByAFreshContainerBeforeTheOldOneGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := edit(t, newWorld(t), python())
		r.save("s1", "/repo/app.py")
		r.save("s2", "/repo/lib.py")
		want := []string{
			"start", "route 1 [172.17.0.2:8080]",
			"start", "route 2 [172.17.0.3:8080]", "stop",
			"start", "route 3 [172.17.0.4:8080]", "stop",
		}
		if got := r.only("start", "route", "stop"); !slices.Equal(got, want) {
			t.Errorf("calls are %q, want %q", got, want)
		}
		files := r.specs[2].Files
		if len(files) != 2 || files[0].Source != "/repo/app.py" || files[0].To != "/app/app.py" || files[1].To != "/app/lib.py" {
			t.Errorf("all that changed since the image is to be copied, not %+v", files)
		}
		s := facts[event.Serving](r.world)
		if len(s) != 3 || s[0].Sources != "s0" || s[1].Sources != "s1" || s[2].Sources != "s2" || s[2].Tier != event.TierSync || s[2].File != "lib.py" {
			t.Errorf("who serves is told as %+v", s)
		}
		r.end()
		if n := len(r.only("stage")); n != 1 {
			t.Errorf("the artifact was staged %d times, and never changed", n)
		}
		if n := len(r.only("unstage")); n != 1 {
			t.Errorf("the artifact was removed %d times", n)
		}
	})
}

func TestEachTierDoesWhatItHasTo(t *testing.T) {
	for _, row := range []struct {
		fact, path string
		build      int // images, the first included
		stage      int
		tier       event.Tier
	}{
		{"the artifact is staged anew", "/repo/model/a.json", 1, 2, event.TierRestart},
		{"a file of the build makes an image", "/repo/requirements.txt", 2, 1, event.TierRebuild},
		{"a copied file is copied", "/repo/app.py", 1, 1, event.TierSync},
	} {
		t.Run(row.fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.building = func(_ context.Context, s emulator.ImageSpec) error { w.note("image %d", s.Revision); return nil }
				r := edit(t, w, python())
				r.save("s1", row.path)
				if n := len(r.only("image")); n != row.build {
					t.Errorf("%d images were made", n)
				}
				if n := len(r.only("stage")); n != row.stage {
					t.Errorf("the artifact was staged %d times", n)
				}
				if s := facts[event.Serving](w); len(s) != 2 || s[1].Tier != row.tier {
					t.Errorf("who serves is told as %+v", s)
				}
				r.end()
			})
		})
	}
}

func TestAnEditOfNothingThatRunsReloadsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := edit(t, newWorld(t), iris()) // its image is pulled
		r.save("s1", "/repo/README.md")
		if n := len(facts[event.Reloading](r.world)); n != 0 {
			t.Errorf("%d reloads began", n)
		}
		if e := facts[event.Edited](r.world); len(e) != 1 || e[0].Tier != event.TierNone || e[0].File != "README.md" {
			t.Errorf("the edit is told as %+v", e)
		}
		r.end()
	})
}

func TestABrokenEditLeavesTheOldRevisionServingUntilItIsMended(t *testing.T) {
	for _, row := range []struct {
		fact   string
		break_ func(w *world)
		mend   func(w *world)
		path   string
		what   string
	}{
		{
			"it ends", func(w *world) { w.dies = func(*fakeContainer) bool { return true } },
			func(w *world) { w.dies = nil }, "/repo/app.py", "exited with code 1 before it was ready",
		},
		{
			"it cannot be built", func(w *world) { w.building = func(context.Context, emulator.ImageSpec) error { return errBroken } },
			func(w *world) { w.building = nil }, "/repo/Dockerfile", "cannot be built",
		},
		{
			"it cannot be started", func(w *world) { w.refuse(errBroken) }, func(w *world) { w.refuse(nil) }, "/repo/app.py", "cannot be started",
		},
	} {
		t.Run(row.fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				r := edit(t, w, python())
				row.break_(w)
				r.save("s1", row.path)
				if got := r.only("route", "hold"); !slices.Equal(got, []string{"hold", "route 1 [172.17.0.2:8080]"}) {
					t.Errorf("the traffic went %q", got)
				}
				ends := facts[event.ReloadEnded](w)
				if len(ends) != 1 || ends[0].Card.What != row.what {
					t.Fatalf("the end is told as %+v", ends)
				}
				if phase := w.phases(); phase[len(phase)-1] != event.PhaseReady {
					t.Errorf("phases are %v", phase)
				}
				row.mend(w)
				r.save("s2", row.path)
				if s := facts[event.Serving](w); len(s) != 2 || s[1].Sources != "s2" {
					t.Errorf("who serves is told as %+v", s)
				}
				time.Sleep(time.Hour) // of the bubble: nothing is tried again
				if n := len(facts[event.Reloading](w)); n != 2 {
					t.Errorf("%d reloads began", n)
				}
				r.end()
			})
		})
	}
}

func TestANewerSaveCancelsAReloadInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := edit(t, w, python())
		w.building = func(ctx context.Context, s emulator.ImageSpec) error {
			if s.Revision == 2 {
				<-ctx.Done()
				w.note("cancelled %d", s.Revision)
				return ctx.Err()
			}
			w.note("image %d", s.Revision)
			return nil
		}
		r.save("s1", "/repo/requirements.txt")
		r.save("s2", "/repo/app.py")
		if got, want := r.only("cancelled", "image"), []string{"cancelled 2", "image 3"}; !slices.Equal(got, want) {
			t.Errorf("calls are %q, want %q: the second build waits for the end of the first", got, want)
		}
		ends, serving := facts[event.ReloadEnded](w), facts[event.Serving](w)
		if len(ends) != 1 || !strings.HasPrefix(ends[0].Cancelled, "a newer edit") {
			t.Errorf("ends are %+v", ends)
		}
		if len(serving) != 2 || serving[1].Sources != "s2" || serving[1].Tier != event.TierRebuild {
			t.Errorf("what the cancelled one had to build is still to be built: %+v", serving)
		}
		r.end()
	})
}

func TestANewerSaveCancelsARevisionThatIsNotReadyYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		broken := w.breaks()
		r := edit(t, w, python())
		broken.Store(true)
		r.save("s1", "/repo/app.py")
		time.Sleep(time.Minute)
		if stuck := facts[event.ReloadStuck](w); len(stuck) == 0 {
			t.Error("nobody is told why it is not ready")
		}
		broken.Store(false)
		r.edits <- emulator.Edits{Sources: "s2", Files: []emulator.Edit{{Path: "/repo/app.py"}}}
		time.Sleep(time.Minute)
		if s := facts[event.Serving](w); len(s) != 2 || s[1].Sources != "s2" {
			t.Errorf("who serves is told as %+v", s)
		}
		r.end()
	})
}

func TestARevisionThatIsNotReadyInTimeIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		broken := w.breaks()
		r := edit(t, w, python())
		broken.Store(true)
		r.save("s1", "/repo/app.py")
		time.Sleep(11 * time.Minute)
		ends := facts[event.ReloadEnded](w)
		if len(ends) != 1 || ends[0].Card.What != "was not ready within the deployment timeout of 10m0s" {
			t.Errorf("ends are %+v", ends)
		}
		r.end()
	})
}

// breaks has readiness fail as long as what it returns says so.
func (w *world) breaks() *atomic.Bool {
	var broken atomic.Bool
	ready := w.probe
	w.probe = func(attempt int) emulator.ProbeResult {
		if broken.Load() {
			return emulator.ProbeResult{Outcome: "503"}
		}
		return ready(attempt)
	}
	return &broken
}

func TestRevisionsThatDoNotFitSideBySideReplaceEachOther(t *testing.T) {
	for _, row := range []struct {
		fact   string
		change func(*emulator.Model, *emulator.Options)
		why    string
	}{
		{"asked for", func(m *emulator.Model, _ *emulator.Options) { m.Reload = emulator.ReloadReplace }, "reload: replace"},
		{"too little memory", func(_ *emulator.Model, o *emulator.Options) { o.Memory = 1500 << 20 }, "2 containers with a memory limit of 1000Mi do not fit side by side"},
	} {
		t.Run(row.fact, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, m := newWorld(t), python()
				w.options = func(o *emulator.Options) { row.change(m, o) }
				r := edit(t, w, m)
				r.save("s1", "/repo/app.py")
				want := []string{"hold", "start", "route 1 [172.17.0.2:8080]", "hold", "stop", "start", "route 2 [172.17.0.3:8080]"}
				if got := r.only("hold", "start", "route", "stop"); !slices.Equal(got, want) {
					t.Errorf("calls are %q, want %q", got, want)
				}
				if plan := facts[event.Reloading](w); plan[0].Replaces != row.why {
					t.Errorf("the plan is %+v", plan)
				}
				w.dies = func(c *fakeContainer) bool { return c.number == 3 }
				r.save("s2", "/repo/app.py")
				calls := r.only("route")
				if last := calls[len(calls)-1]; last != "route 2 [172.17.0.5:8080]" {
					t.Errorf("after a failure the old revision starts again, but the last route is %q", last)
				}
				r.end()
			})
		})
	}
}

func TestAStreamHoldsUpARevisionThatReplacesItsOwnForTheGracePeriodAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, m := newWorld(t), python()
		m.Reload = emulator.ReloadReplace
		w.drain = func(ctx context.Context) { <-ctx.Done() }
		r := edit(t, w, m)
		saved := time.Now()
		r.edits <- emulator.Edits{Sources: "s1", Files: []emulator.Edit{{Path: "/repo/app.py"}}}
		for len(facts[event.Serving](w)) < 2 {
			time.Sleep(time.Second)
		}
		if waited := time.Since(saved); waited > 11*time.Second { // of the bubble; the grace period is 10 s
			t.Errorf("requests waited for %s", waited)
		}
		r.end()
	})
}

func TestRevisionsThatWaitForTheirStreamsMakeRoomForANewOne(t *testing.T) {
	for _, row := range []struct {
		memory int64
		stops  int // within the grace period of the second reload
	}{{2500 << 20, 1}, {3000 << 20, 0}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.options = func(o *emulator.Options) { o.Memory = row.memory }
			w.drain = func(ctx context.Context) { <-ctx.Done() }
			r := edit(t, w, python()) // its limit is 1000Mi
			r.save("s1", "/repo/app.py")
			r.save("s2", "/repo/app.py")
			time.Sleep(11 * time.Second) // of the bubble; the grace period is 10 s
			if n := len(r.only("stop")); n != row.stops {
				t.Errorf("with %d bytes %d revisions stopped", row.memory, n)
			}
			if s := facts[event.Serving](w); len(s) != 3 {
				t.Errorf("who serves is told as %+v", s)
			}
			r.end()
		})
	}
}

func TestAReloadThatIsAskedFor(t *testing.T) {
	for _, row := range []struct {
		rebuild bool
		want    event.Tier
	}{{false, event.TierRestart}, {true, event.TierRebuild}} {
		synctest.Test(t, func(t *testing.T) {
			r := edit(t, newWorld(t), python())
			if err := r.emulator.Reload("", row.rebuild); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if s := facts[event.Serving](r.world); len(s) != 2 || s[1].Tier != row.want {
				t.Errorf("rebuild %t: who serves is told as %+v", row.rebuild, s)
			}
			if err := r.emulator.Reload("plum-1", false); err == nil {
				t.Error("an unknown model is no error")
			}
			r.end()
		})
	}
}

func TestANewConfigurationIsServedByANewRevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := edit(t, newWorld(t), python())
		other := python()
		other.Deployment.EnvVars[0].Value = "2"
		if err := r.emulator.Reconfigure(other, "merlin-local.yaml"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := r.specs[1].Env[0]; got != "A=2" {
			t.Errorf("the container has %q", got)
		}
		if plan := facts[event.Reloading](r.world); plan[0].Tier != event.TierRestart || plan[0].File != "merlin-local.yaml" {
			t.Errorf("the plan is %+v", plan)
		}
		other = python()
		other.Build.Target = "debug"
		if err := r.emulator.Reconfigure(other, "merlin-local.yaml"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if plan := facts[event.Reloading](r.world); plan[1].Tier != event.TierRebuild {
			t.Errorf("the plan is %+v", plan)
		}
		r.end()
	})
}

func TestAModelThatNeverCameUpIsMendedByAnEdit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dies = func(c *fakeContainer) bool { return c.spec().Revision == 1 }
		r := edit(t, w, python())
		r.save("s1", "/repo/app.py")
		if s := facts[event.Serving](w); len(s) != 1 || s[0].Sources != "s1" {
			t.Errorf("who serves is told as %+v", s)
		}
		r.end()
	})
}

func TestAStopAmidAReloadLeavesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := edit(t, w, python())
		w.building = func(ctx context.Context, _ emulator.ImageSpec) error { <-ctx.Done(); return ctx.Err() }
		r.save("s1", "/repo/requirements.txt")
		r.end()
		if n, m := len(r.only("stage")), len(r.only("unstage")); n != m {
			t.Errorf("staged %d times, and removed %d times", n, m)
		}
	})
}

func TestWithoutAWatcherTheFirstRevisionIsToldAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		if err := until(t, w, iris()); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if s := facts[event.Serving](w); len(s) != 1 {
			t.Errorf("who serves is told as %+v", s)
		}
	})
}
