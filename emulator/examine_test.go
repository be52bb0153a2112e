package emulator_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caraml-dev/merlin-local/emulator"
	"github.com/caraml-dev/merlin-local/emulator/diagnose"
	"github.com/caraml-dev/merlin-local/emulator/event"
)

// fakeExaminer answers and counts.
type fakeExaminer struct {
	mu       sync.Mutex
	speech   diagnose.Speech
	statuses map[string]int
	asked    []string
	hang     bool
}

func (x *fakeExaminer) note(what string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.asked = append(x.asked, what)
}

func (x *fakeExaminer) Speech(ctx context.Context, _ netip.AddrPort) diagnose.Speech {
	x.note("speech")
	if x.hang {
		<-ctx.Done()
	}
	return x.speech
}

func (x *fakeExaminer) Status(_ context.Context, _ netip.AddrPort, path string) int {
	x.note(path)
	return x.statuses[path]
}

func examining(w *world, x *fakeExaminer) {
	w.options = func(o *emulator.Options) { o.Examiner = x }
}

// told are the cards' causes, and when they came after the first start.
func told(w *world) (causes []string) {
	var begun time.Time
	for _, e := range w.events.History() {
		switch f := e.Fact.(type) {
		case event.Started:
			if begun.IsZero() {
				begun = e.Time
			}
		case event.Failed:
			causes = append(causes, string(f.Cause)+" "+e.Time.Sub(begun).Round(time.Second).String())
		}
	}
	return causes
}

func wantTold(t *testing.T, w *world, want ...string) {
	t.Helper()
	if got := told(w); !slices.Equal(got, want) {
		t.Errorf("cards are %q, want %q", got, want)
	}
}

func answers(status int, outcome string) func(int) emulator.ProbeResult {
	return func(int) emulator.ProbeResult {
		return emulator.ProbeResult{Kind: "http", Target: "GET /v1/models/iris-1", Status: status, Outcome: outcome}
	}
}

func listensAt(texts ...string) func() ([]netip.AddrPort, error) {
	return func() (all []netip.AddrPort, err error) {
		for _, text := range texts {
			all = append(all, netip.MustParseAddrPort(text))
		}
		return all, nil
	}
}

func TestWhatIsCertainIsToldAtOnceAndWhatIsNotAfterAWhile(t *testing.T) {
	for name, c := range map[string]struct {
		script func(*world)
		want   string
	}{
		"certain": {func(w *world) {
			w.probe, w.listening = answers(0, "connection refused"), listensAt("127.0.0.1:8080")
		}, "loopback-only 2s"},
		"likely": {func(w *world) { w.probe = answers(503, "503 Service Unavailable") }, "health-unavailable 5s"},
		"guess":  {func(w *world) { w.probe = answers(0, "connection refused") }, "not-listening 5s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				c.script(w)
				during(t, w, iris(), time.Minute, func() { wantTold(t, w, c.want) })
				if card := facts[event.Failed](w)[0]; card.Final || card.Pod == "" || card.Probe == nil || card.Exit != nil {
					t.Errorf("the card is %+v", card)
				}
			})
		})
	}
}

func TestANewDiagnosisIsANewCardAndReadinessNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ready := w.probe
		begun := time.Now()
		w.probe = func(n int) emulator.ProbeResult {
			switch since := time.Since(begun); {
			case since < 8*time.Second:
				return answers(0, "connection refused")(n)
			case since < 20*time.Second:
				return answers(503, "503 Service Unavailable")(n)
			}
			return ready(n)
		}
		during(t, w, iris(), time.Hour, func() { wantTold(t, w, "not-listening 5s", "health-unavailable 10s") })
	})
}

func TestAModelThatIsReadySoonGetsNoCard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ready := w.probe
		begun := time.Now()
		w.probe = func(n int) emulator.ProbeResult {
			if time.Since(begun) < 4*time.Second {
				return answers(0, "connection refused")(n)
			}
			return ready(n)
		}
		during(t, w, iris(), time.Hour, func() { wantTold(t, w) })
	})
}

func TestAModelThatStopsBeingReadyGetsACard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ready := w.probe
		begun := time.Now()
		w.probe = func(n int) emulator.ProbeResult {
			if time.Since(begun) > time.Minute {
				return answers(500, "500 Internal Server Error")(n)
			}
			return ready(n)
		}
		// The third failure in a row, 10 s apart, and then the patience.
		during(t, w, iris(), 3*time.Minute, func() {
			if got := told(w); len(got) != 1 || !strings.HasPrefix(got[0], "health-errors 1m") {
				t.Errorf("cards are %q", got)
			}
		})
	})
}

func TestOtherPathsAreTriedOnceAndOnlyWhereItIsThePath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.probe = answers(404, "404 Not Found")
		x := &fakeExaminer{statuses: map[string]int{"/v1/models/iris": 200}}
		examining(w, x)
		during(t, w, iris(), time.Minute, func() { wantTold(t, w, "health-path 2s") })
		if n := len(x.asked); n == 0 || n > 10 || x.asked[0] != "/v1/models/iris" || slices.Contains(x.asked, "/v1/models/iris-1") {
			t.Errorf("asked for %q", x.asked)
		}
		if card := facts[event.Failed](w)[0]; card.Why != "GET /v1/models/iris-1 gives 404, and /v1/models/iris 200: it is built from CARAML_MODEL_NAME" {
			t.Errorf("the card is %+v", card)
		}
	})
}

func TestAWrongProtocolIsTalkedTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.probe = answers(0, `malformed HTTP response "\x00\x00"`)
		x := &fakeExaminer{speech: diagnose.Speech{HTTP2: true}}
		examining(w, x)
		during(t, w, iris(), time.Minute, func() { wantTold(t, w, "grpc-for-http 2s") })
		if len(x.asked) != 1 {
			t.Errorf("asked for %q", x.asked)
		}
	})
}

func TestAnExaminationThatHangsEndsWithItsContainer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.probe = answers(0, "connection reset")
		examining(w, &fakeExaminer{hang: true})
		w.run = func(c *fakeContainer) {
			if c.number == 1 {
				time.Sleep(1500 * time.Millisecond)
				c.exit(emulator.Exit{Code: 1})
			}
		}
		during(t, w, iris(), 2*time.Second, func() {})
		if exits := facts[event.Exited](w); len(exits) != 2 || exits[0].Ran != 1500*time.Millisecond {
			t.Errorf("exits are %+v", exits)
		}
	})
}

func TestTheCardOfADeadlineHasTheLastDiagnosis(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.probe, w.listening = answers(0, "connection refused"), listensAt("0.0.0.0:9000")
		err := w.emulate(t.Context(), iris())()
		var failure *emulator.Failure
		if !errors.As(err, &failure) || failure.Card.Cause != event.CauseOtherPort || !strings.Contains(failure.Why, "it listens on 0.0.0.0:9000, not on port 8080: that is CARAML_GRPC_PORT") {
			t.Errorf("failure is %+v", failure)
		}
		wantTold(t, w, "other-port 2s", "other-port 10m0s")
	})
}

func TestARestartThatCannotBeIsACardToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run = func(c *fakeContainer) {
			w.mu.Lock()
			w.startError = errBroken
			w.mu.Unlock()
			time.Sleep(time.Minute)
			c.exit(emulator.Exit{Code: 1})
		}
		during(t, w, iris(), 65*time.Second, func() { wantTold(t, w, "exited 1m0s", "not-started 1m0s") })
		if card := facts[event.Failed](w)[1]; card.What != "cannot be started" || card.Why != "broken" || card.Final {
			t.Errorf("the card is %+v", card)
		}
	})
}
