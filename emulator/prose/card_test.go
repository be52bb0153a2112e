package prose

import (
	"strings"
	"testing"
	"time"

	"github.com/caraml-dev/merlin-local/emulator/event"
	"github.com/caraml-dev/merlin-local/emulator/session"
)

func TestACardIsCompactAndClean(t *testing.T) {
	lines := make([]string, 20)
	for i := range lines {
		lines[i] = "\x1b[31mline\x1b[0m \x07" + string(rune('a'+i))
	}
	got := Failed(event.Failed{
		What: "exited with code 137 (OOMKilled)", Why: "it went\nover", Next: "load less", Cause: event.CauseOOMKilled, Certainty: event.Certain,
		Exit: &event.Ending{Code: 137, OOMKilled: true, Meaning: "killed"}, Probe: &event.Probed{Target: "GET /", Outcome: "503", Body: "a\x1b]0;title\x07\nb"},
		LastLogs: lines, MemoryPeak: 100 << 20, MemoryLimit: 128 << 20,
	})
	want := `NOT SERVING: exited with code 137 (OOMKilled): killed for its memory
  cause:  oom-killed (certain)
  why:    it went
          over
  probe:  GET /: 503: a\x0ab
  memory: peak 100 MiB, limit 128 MiB
  log:    line \x07p
          line \x07q
          line \x07r
          line \x07s
          line \x07t
  next:   load less`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAFinalCardSaysSoAndWhatIsNotKnownIsNotSaid(t *testing.T) {
	if got := Failed(event.Failed{What: "its image cannot be built", Final: true}); got != "FAILED: its image cannot be built" {
		t.Errorf("got %q", got)
	}
}

func TestTheComebackCountsDown(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := now.Add(7 * time.Second)
	m := &session.Model{Pods: []*session.Pod{{Phase: event.PhaseReady}, {Phase: event.PhaseBackOff, RetryAt: &at, Restarts: 10}}}
	if got := Comeback(m, now); !strings.HasPrefix(got, "starts again in 7s, for the 11th time") {
		t.Errorf("got %q", got)
	}
	if got := Comeback(m, now.Add(time.Hour)); !strings.HasPrefix(got, "starts again in 0s") {
		t.Errorf("got %q", got)
	}
	if got := Comeback(&session.Model{}, now); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestOrdinals(t *testing.T) {
	for n, want := range map[int]string{1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 12: "12th", 13: "13th", 21: "21st", 112: "112th"} {
		if got := ordinal(n); got != want {
			t.Errorf("%d is %q", n, got)
		}
	}
}
