package watch

import (
	"maps"
	"slices"
	"testing"
	"time"
)

// at is a moment of a test.
func at(d time.Duration) time.Time { return time.Unix(1e9, 0).Add(d) }

func (s *settle) take(d time.Duration) []string { return slices.Sorted(maps.Keys(s.due(at(d)))) }

func TestAQuietMomentSettlesAll(t *testing.T) {
	s := settle{quiet: 100 * time.Millisecond, most: time.Second}
	if _, pending := s.wait(at(0)); pending {
		t.Error("something is pending before anything was noted")
	}
	s.note("a", at(0))
	s.note("b", at(60*time.Millisecond))
	if got := s.take(110 * time.Millisecond); got != nil {
		t.Errorf("settled too early: %v", got)
	}
	if d, _ := s.wait(at(110 * time.Millisecond)); d != 50*time.Millisecond {
		t.Errorf("waits %v", d)
	}
	if got := s.take(160 * time.Millisecond); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("settled: %v", got)
	}
	if _, pending := s.wait(at(time.Second)); pending {
		t.Error("something is pending after all was taken")
	}
}

func TestAtTheLimitOnlyWhatIsSettledIsGiven(t *testing.T) {
	s := settle{quiet: 100 * time.Millisecond, most: time.Second}
	s.note("early", at(0))
	for ms := time.Duration(50); ms <= 950; ms += 50 {
		s.note("busy", at(ms*time.Millisecond))
	}
	s.note("late", at(990*time.Millisecond))
	if d, _ := s.wait(at(990 * time.Millisecond)); d != 10*time.Millisecond {
		t.Errorf("waits %v for the limit", d)
	}
	if got := s.take(time.Second); !slices.Equal(got, []string{"early"}) {
		t.Errorf("settled at the limit: %v", got)
	}
	// What still changes is given after its own second.
	s.note("busy", at(1040*time.Millisecond))
	if got := s.take(1050 * time.Millisecond); !slices.Equal(got, []string{"busy"}) {
		t.Errorf("settled at its own limit: %v", got)
	}
	if got := s.take(1140 * time.Millisecond); !slices.Equal(got, []string{"late"}) {
		t.Errorf("settled at the end: %v", got)
	}
}

// A file that never stops changing is reported once a second, others are not held up.
func TestAFileThatNeverSettlesIsReportedAtTheLimit(t *testing.T) {
	onPolling(t, given, func(l *lab) {
		l.first()
		began := time.Now()
		for time.Since(began) < 4*time.Second {
			l.append("src/a.py", "x")
			time.Sleep(60 * time.Millisecond)
		}
		if n := len(l.taken()); n < 2 || n > 5 {
			l.t.Errorf("%d sets in 4 s", n)
		}
	})
}
