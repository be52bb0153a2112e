package emulator_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/merlin"
)

func iris() *emulator.Model {
	return &emulator.Model{
		Deployment: merlin.Deployment{
			Project: "sample", Model: "iris", Version: "1", Protocol: merlin.HTTPJSON, Image: "iris:v1",
			Args: "--port $(CARAML_HTTP_PORT)", EnvVars: []merlin.EnvVar{{Name: "A", Value: "1"}},
			ArtifactURI: "gs://b/a", Platform: merlin.DefaultPlatform(),
		},
		Dir: "/repo",
	}
}

// until runs a model in a bubble, lets it settle, and ends it as Ctrl-C does.
func until(t *testing.T, w *world, model *emulator.Model) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	wait := w.emulate(ctx, model)
	synctest.Wait()
	cancel()
	return wait()
}

func wantPhases(t *testing.T, w *world, want ...event.Phase) {
	t.Helper()
	if got := w.phases(); !slices.Equal(got, want) {
		t.Errorf("phases are %v, want %v", got, want)
	}
}

func TestAModelIsRoutedOnceItIsReadyAndLeavesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		if err := until(t, w, iris()); err != nil {
			t.Fatal(err)
		}
		wantPhases(t, w, event.PhasePending, event.PhaseStarting, event.PhaseWaiting, event.PhaseReady, event.PhaseStopping, event.PhaseStopped)
		want := []string{"sweep", "hold", "stage", "start", "route 1 [172.17.0.2:8080]", "hold", "drain", "stop", "remove", "unstage"}
		if got := w.noted(); !slices.Equal(got, want) {
			t.Errorf("calls are %v, want %v", got, want)
		}
		if exits := facts[event.Exited](w); len(exits) != 1 || !exits[0].Expected || exits[0].Signal != "SIGTERM" {
			t.Errorf("exits are %+v", exits)
		}
	})
}

func TestTheReplicaGetsProductionsEnvironmentAndLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		if err := until(t, w, iris()); err != nil {
			t.Fatal(err)
		}
		spec := w.specs[0]
		if spec.Env[0] != "A=1" || !slices.Contains(spec.Env, "STORAGE_URI=gs://b/a/model") || spec.Env[len(spec.Env)-1] != "K_SERVICE=iris-1-predictor" {
			t.Errorf("environment is %q", spec.Env)
		}
		if spec.Command != nil || !slices.Equal(spec.Args, []string{"--port", "8080"}) {
			t.Errorf("command is %q, args are %q", spec.Command, spec.Args)
		}
		if spec.CPUMillis != 8000 || spec.MemoryBytes != 1000<<20 || spec.MemoryLimit != "1000Mi" || spec.Port != 8080 || spec.Artifact != "/staged" {
			t.Errorf("spec is %+v", spec)
		}
		if !strings.HasPrefix(spec.Hostname, "iris-1-predictor-00001-deployment-") {
			t.Errorf("hostname is %q", spec.Hostname)
		}
	})
}

func TestReadinessIsAskedUntilItIsGivenAndEveryAttemptIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ready := w.probe
		w.probe = func(attempt int) emulator.ProbeResult {
			switch {
			case attempt <= 40:
				return emulator.ProbeResult{Outcome: "connection refused"}
			case attempt <= 80:
				return emulator.ProbeResult{Outcome: "503 Service Unavailable", Status: 503}
			}
			return ready(attempt)
		}
		ctx, cancel := context.WithCancel(t.Context())
		wait := w.emulate(ctx, iris())
		time.Sleep(time.Minute) // of the bubble
		cancel()
		if err := wait(); err != nil {
			t.Fatal(err)
		}
		var first []string
		probes := facts[event.Probed](w)
		for i, p := range probes {
			if p.Purpose == event.Readiness && (i == 0 || p.Outcome != probes[i-1].Outcome) {
				first = append(first, fmt.Sprintf("%d: %s", i+1, p.Outcome))
			}
		}
		if want := []string{"1: connection refused", "41: 503 Service Unavailable", "81: 200 OK"}; !slices.Equal(first, want) {
			t.Errorf("outcomes begin %v, want %v", first, want)
		}
		if p := probes[79]; p.InARow != 80 || p.Threshold != 3 || p.Pod == "" {
			t.Errorf("the last failure is %+v", p)
		}
	})
}

func TestAModelThatIsNotReadyInTimeFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.probe = func(int) emulator.ProbeResult {
			return emulator.ProbeResult{Target: "GET /v1/models/iris-1", Outcome: "404 Not Found", Body: "no such model"}
		}
		begun := time.Now()
		err := w.emulate(t.Context(), iris())()
		var failure *emulator.Failure
		if !errors.As(err, &failure) || failure.Why != "GET /v1/models/iris-1: 404 Not Found: no such model" {
			t.Fatalf("error is %v", err)
		}
		if took := time.Since(begun); took < 10*time.Minute || took > 11*time.Minute {
			t.Errorf("it took %s", took)
		}
		if calls := w.noted(); !slices.Contains(calls, "fail iris-1") {
			t.Errorf("calls are %v", calls)
		}
	})
}

func TestAnExitBeforeReadyFailsWithTheLastLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.probe = func(int) emulator.ProbeResult { return emulator.ProbeResult{Outcome: "connection refused"} }
		w.run = func(c *fakeContainer) {
			for i := range 30 {
				fmt.Fprintf(c.write, "line %d\r\n", i)
			}
			_, _ = io.WriteString(c.write, "ImportError: no module")
			time.Sleep(time.Second) // it is asked meanwhile
			c.exit(emulator.Exit{Code: 3})
		}
		w.options = firstExitFails
		err := w.emulate(t.Context(), iris())()
		if err == nil || err.Error() != "iris-1: exited with code 3 before it was ready: it cannot import: no module" {
			t.Errorf("error is %v", err)
		}
		card := facts[event.Failed](w)[0]
		if logs := card.LastLogs; len(logs) != 20 || logs[0] != "line 11" || logs[19] != "ImportError: no module" {
			t.Errorf("the card has the lines %q", logs)
		}
		if card.Cause != event.CauseMissingModule || !card.Final || card.Exit.Code != 3 || card.Probe.Outcome != "connection refused" {
			t.Errorf("the card is %+v", card)
		}
		exits := facts[event.Exited](w)
		if len(exits) != 1 || exits[0].Code != 3 || exits[0].Expected || len(exits[0].LastLogs) != 20 {
			t.Errorf("exits are %+v", exits)
		}
		wantPhases(t, w, event.PhasePending, event.PhaseStarting, event.PhaseWaiting, event.PhaseFailed)
	})
}

func TestAnOOMKillIsToldAsThat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.probe = func(int) emulator.ProbeResult { return emulator.ProbeResult{Outcome: "connection refused"} }
		w.run = func(c *fakeContainer) { c.exit(emulator.Exit{Code: 137, OOMKilled: true}) }
		w.options = firstExitFails
		err := w.emulate(t.Context(), iris())()
		var failure *emulator.Failure
		if !errors.As(err, &failure) || !strings.Contains(failure.What, "code 137 (OOMKilled)") || !strings.Contains(failure.Next, "memory_request") {
			t.Errorf("failure is %+v", failure)
		}
	})
}

func firstExitFails(o *emulator.Options) { o.FirstExitFails = true }

func TestAContainerIsStartedAgainAfterTheKubeletsBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run = func(c *fakeContainer) {
			time.Sleep(time.Second)
			c.exit(emulator.Exit{Code: 1})
		}
		ctx, cancel := context.WithCancel(t.Context())
		wait := w.emulate(ctx, iris())
		time.Sleep(200 * time.Second)
		cancel()
		if err := wait(); err != nil {
			t.Fatal(err)
		}
		var waits []string
		for _, f := range facts[event.PhaseChanged](w) {
			if f.Phase == event.PhaseBackOff {
				waits = append(waits, f.Why[strings.LastIndex(f.Why, " ")+1:])
			}
		}
		if want := []string{"once", "10s", "20s", "40s", "1m20s", "2m40s"}; !slices.Equal(waits, want) {
			t.Errorf("waits are %v, want %v", waits, want)
		}
		calls := w.noted()
		first := slices.Index(calls, "route 1 [172.17.0.2:8080]")
		if !slices.Contains(calls[first:], "hold") {
			t.Errorf("requests are not held while it is down: %v", calls)
		}
	})
}

func TestWhatIgnoresSIGTERMIsKilledAfterTheGracePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.onStop = func(*fakeContainer) {}
		begun := time.Now()
		if err := until(t, w, iris()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took < 10*time.Second || took > 11*time.Second {
			t.Errorf("it took %s", took)
		}
		if exits := facts[event.Exited](w); exits[0].Code != 137 {
			t.Errorf("exits are %+v", exits)
		}
	})
}

func TestRunningRequestsHoldTheStopUpButNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.drain = func(ctx context.Context) { <-ctx.Done() }
		begun := time.Now()
		if err := until(t, w, iris()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took != 10*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestForceCutsEveryWaitShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.drain = func(ctx context.Context) { <-ctx.Done() }
		w.onStop = func(*fakeContainer) {}
		ctx, cancel := context.WithCancel(t.Context())
		wait := w.emulate(ctx, iris())
		synctest.Wait()
		begun := time.Now()
		cancel()
		synctest.Wait()
		close(w.force)
		if err := wait(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took > 0 {
			t.Errorf("it took %s", took)
		}
	})
}

func TestAnEndInEveryPhaseLeavesNothing(t *testing.T) {
	never := func(int) emulator.ProbeResult { return emulator.ProbeResult{Outcome: "connection refused"} }
	for name, script := range map[string]func(*world){
		"waiting": func(w *world) { w.probe = never },
		"backoff": func(w *world) {
			w.run = func(c *fakeContainer) { time.Sleep(time.Second); c.exit(emulator.Exit{Code: 1}) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				script(w)
				ctx, cancel := context.WithCancel(t.Context())
				wait := w.emulate(ctx, iris())
				time.Sleep(5 * time.Second)
				cancel()
				if err := wait(); err != nil {
					t.Errorf("error is %v", err)
				}
				if phases := w.phases(); phases[len(phases)-1] != event.PhaseStopped || !slices.Contains(phases, event.Phase(name)) {
					t.Errorf("phases are %v", phases)
				}
			})
		})
	}
}

func TestTheBuildCommandRunsFirstAndItsOutputIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.shell = func(stdout io.Writer) error {
			_, _ = io.WriteString(stdout, "compiling\nunfinished")
			return nil
		}
		model := iris()
		model.Build = &emulator.Build{Run: "go build"}
		if err := until(t, w, model); err != nil {
			t.Fatal(err)
		}
		if calls := w.noted(); !slices.Contains(calls, "run go build in /repo") {
			t.Errorf("calls are %v", calls)
		}
		want := []event.Log{{Source: event.LogBuild, Text: "compiling"}, {Source: event.LogBuild, Text: "unfinished"}}
		if got := facts[event.Log](w); !slices.Equal(got, want) {
			t.Errorf("logs are %+v", got)
		}
		if built := facts[event.Built](w); len(built) != 1 || built[0].Image != "sha256:1" {
			t.Errorf("built is %+v", built)
		}
	})
}

func TestWhatGoesWrongBeforeTheStartIsNamed(t *testing.T) {
	cases := map[string]struct {
		script func(*world)
		want   string
		cause  event.Cause
	}{
		"build.run": {func(w *world) { w.shell = func(io.Writer) error { return errBroken } }, "iris-1: build.run failed: make: broken", event.CauseNotBuilt},
		"image": {func(w *world) {
			w.image = func(func(event.Fact)) (emulator.Image, error) { return emulator.Image{}, errBroken }
		}, "iris-1: cannot be built: broken", event.CauseNotBuilt},
		"artifact": {func(w *world) { w.stageError = errBroken }, "iris-1: cannot have its artifact staged: broken", event.CauseNoArtifact},
		"start":    {func(w *world) { w.startError = errBroken }, "iris-1: cannot be started: broken", event.CauseNotStarted},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				c.script(w)
				model := iris()
				model.Build = &emulator.Build{Run: "make"}
				err := w.emulate(t.Context(), model)()
				if err == nil || err.Error() != c.want {
					t.Errorf("error is %v, want %s", err, c.want)
				}
				if cards := facts[event.Failed](w); len(cards) != 1 || cards[0].Cause != c.cause || !cards[0].Final {
					t.Errorf("the cards are %+v", cards)
				}
			})
		})
	}
}

func TestAPullIsAPhaseOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.image = func(report func(event.Fact)) (emulator.Image, error) {
			report(event.Step{Stage: event.StagePull, ID: "layer", State: event.StepStarted})
			report(event.Step{Stage: event.StagePull, ID: "layer", State: event.StepDone})
			return emulator.Image{ID: "sha256:1"}, nil
		}
		if err := until(t, w, iris()); err != nil {
			t.Fatal(err)
		}
		if got := w.phases()[:3]; !slices.Equal(got, []event.Phase{event.PhasePending, event.PhasePulling, event.PhaseStarting}) {
			t.Errorf("phases are %v", got)
		}
	})
}

func TestALineWithoutAnEndIsCutAndInvalidTextMended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run = func(c *fakeContainer) {
			_, _ = io.WriteString(c.write, strings.Repeat("x", 40<<10)+"\xff\nnext\n")
		}
		if err := until(t, w, iris()); err != nil {
			t.Fatal(err)
		}
		var lengths []int
		for _, l := range facts[event.Log](w) {
			lengths = append(lengths, len(l.Text))
		}
		if want := []int{16 << 10, 16 << 10, 8<<10 + len("\uFFFD"), 4}; !reflect.DeepEqual(lengths, want) {
			t.Errorf("lengths are %v, want %v", lengths, want)
		}
	})
}

func TestWhyAModelIsNotReadyIsToldBeforeItIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.probe = func(int) emulator.ProbeResult { return emulator.ProbeResult{Outcome: "connection refused"} }
		w.onStop = func(*fakeContainer) {} // it ignores SIGTERM
		ctx, cancel := context.WithCancel(t.Context())
		wait := w.emulate(ctx, iris())
		time.Sleep(10*time.Minute + time.Second) // in its grace period
		if cards := facts[event.Failed](w); !cards[len(cards)-1].Final {
			t.Error("it is not told yet")
		}
		cancel() // Ctrl-C does not make a success of it
		if err := wait(); err == nil {
			t.Error("no error")
		}
		calls := w.noted()
		if failed := slices.IndexFunc(calls, func(c string) bool { return strings.HasPrefix(c, "fail") }); failed < 0 || slices.Contains(calls[failed:], "hold") {
			t.Errorf("calls are %v: requests must be answered, not held", calls)
		}
	})
}
